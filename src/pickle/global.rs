//! The closed list of globals that make data.
//!
//! A pickle names classes and functions; here a name is two strings that are looked up in this table byte for byte. No
//! prefix, no attribute walk, no import: what is not in the table stops the reading where it is named.

macro_rules! globals {
    ($($(#[$doc:meta])* $variant:ident = [$($module:literal . $name:literal),+ $(,)?];)*) => {
        /// What a global means, whatever name it had in the version that wrote it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Global {
            $($(#[$doc])* $variant,)*
        }

        impl Global {
            /// The meaning of `module.name`, if it is in the table.
            pub fn find(module: &[u8], name: &[u8]) -> Option<Self> {
                const TABLE: &[(&str, &str, Global)] = &[$($(($module, $name, Global::$variant),)+)*];
                let row = TABLE.iter().find(|row| row.1.as_bytes() == name && row.0.as_bytes() == module)?;
                Some(row.2)
            }

            /// The first name it had, for messages.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => [$(concat!($module, ".", $name)),+][0],)*
                }
            }
        }
    };
}

globals! {
    /// `_reconstruct(class, (0,), b'b')`: an array that BUILD fills.
    Reconstruct = ["numpy.core.multiarray"."_reconstruct", "numpy._core.multiarray"."_reconstruct"];
    /// `_frombuffer(buffer, dtype, shape, order)`: an array of protocol 5.
    FromBuffer = ["numpy.core.numeric"."_frombuffer", "numpy._core.numeric"."_frombuffer"];
    /// `scalar(dtype, bytes)`.
    Scalar = ["numpy.core.multiarray"."scalar", "numpy._core.multiarray"."scalar"];
    /// The array class.
    NdArray = ["numpy"."ndarray"];
    /// `dtype(code, False, True)`.
    Dtype = ["numpy"."dtype"];

    /// A frame.
    DataFrame = ["pandas.core.frame"."DataFrame", "pandas"."DataFrame"];
    /// The blocks of a frame.
    BlockManager = ["pandas.core.internals.managers"."BlockManager", "pandas.core.internals"."BlockManager"];
    /// `_unpickle_block(values, placement, ndim)`.
    UnpickleBlock = ["pandas._libs.internals"."_unpickle_block"];
    /// `slice(start, stop, step)`.
    Slice = ["builtins"."slice", "__builtin__"."slice"];

    /// `_new_Index(class, dict)`.
    NewIndex = ["pandas.core.indexes.base"."_new_Index"];
    /// An index of labels.
    Index = [
        "pandas.core.indexes.base"."Index",
        "pandas"."Index",
        "pandas.core.indexes.numeric"."Int64Index",
        "pandas.core.indexes.numeric"."UInt64Index",
        "pandas.core.indexes.numeric"."Float64Index",
    ];
    /// An index without data.
    RangeIndex = ["pandas.core.indexes.range"."RangeIndex", "pandas"."RangeIndex"];

    /// `__pyx_unpickle_NDArrayBacked(class, checksum, None)` with state `(dtype, array[, dict])`.
    UnpickleNdArrayBacked = ["pandas._libs.arrays"."__pyx_unpickle_NDArrayBacked"];
    /// Codes and categories.
    Categorical = ["pandas.core.arrays.categorical"."Categorical", "pandas"."Categorical"];
    /// The categories of a categorical.
    CategoricalDtype = ["pandas.core.dtypes.dtypes"."CategoricalDtype", "pandas"."CategoricalDtype"];
    /// Text as an object array.
    StringArray = [
        "pandas.core.arrays.string_"."StringArray",
        "pandas.core.arrays.string_"."StringArrayNumpySemantics",
        "pandas.arrays"."StringArray",
        "pandas.core.arrays.string_"."StringArrayNumpySemantics",
    ];
    /// `StringDtype(storage, na_value)`.
    StringDtype = ["pandas.core.arrays.string_"."StringDtype", "pandas"."StringDtype"];
    /// Text as an Arrow array.
    ArrowStringArray = [
        "pandas.core.arrays.string_arrow"."ArrowStringArray",
        "pandas.core.arrays.string_arrow"."ArrowStringArrayNumpySemantics",
        "pandas.arrays"."ArrowStringArray",
    ];
    /// Integers, floats or booleans with a mask.
    MaskedArray = [
        "pandas.core.arrays.integer"."IntegerArray",
        "pandas.core.arrays.floating"."FloatingArray",
        "pandas.core.arrays.boolean"."BooleanArray",
        "pandas.arrays"."IntegerArray",
        "pandas.arrays"."FloatingArray",
        "pandas.arrays"."BooleanArray",
    ];
    /// The dtype of a masked array, which its data name as well.
    MaskedDtype = [
        "pandas.core.arrays.integer"."Int8Dtype", "pandas"."Int8Dtype",
        "pandas.core.arrays.integer"."Int16Dtype", "pandas"."Int16Dtype",
        "pandas.core.arrays.integer"."Int32Dtype", "pandas"."Int32Dtype",
        "pandas.core.arrays.integer"."Int64Dtype", "pandas"."Int64Dtype",
        "pandas.core.arrays.integer"."UInt8Dtype", "pandas"."UInt8Dtype",
        "pandas.core.arrays.integer"."UInt16Dtype", "pandas"."UInt16Dtype",
        "pandas.core.arrays.integer"."UInt32Dtype", "pandas"."UInt32Dtype",
        "pandas.core.arrays.integer"."UInt64Dtype", "pandas"."UInt64Dtype",
        "pandas.core.arrays.floating"."Float32Dtype", "pandas"."Float32Dtype",
        "pandas.core.arrays.floating"."Float64Dtype", "pandas"."Float64Dtype",
        "pandas.core.arrays.boolean"."BooleanDtype", "pandas"."BooleanDtype",
    ];
    /// `pd.NA`.
    Na = ["pandas._libs.missing"."NA", "pandas"."NA"];

    /// `_restore_array((type, length, nulls, offset, buffers, children, dictionary))`.
    ArrowArray = ["pyarrow.lib"."_restore_array"];
    /// `chunked_array([arrays], type)`.
    ArrowChunks = ["pyarrow.lib"."chunked_array"];
    /// `py_buffer(bytes)`.
    ArrowBuffer = ["pyarrow.lib"."py_buffer"];
    /// `type_for_alias(name)`.
    ArrowType = ["pyarrow.lib"."type_for_alias"];

    /// `encode(text, 'latin1')`: bytes before protocol 3.
    CodecsEncode = ["_codecs"."encode"];
    /// `bytes()`: empty bytes before protocol 3.
    Bytes = ["builtins"."bytes", "__builtin__"."bytes"];
    /// `bytearray(bytes)`.
    ByteArray = ["builtins"."bytearray", "__builtin__"."bytearray"];
    /// `_reconstructor(class, object, None)`: objects of protocols 0 and 1.
    Reconstructor = ["copyreg"."_reconstructor", "copy_reg"."_reconstructor"];
    /// The base class that a reconstructor names.
    Object = ["builtins"."object", "__builtin__"."object"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_pairs_are_found() {
        assert_eq!(Global::find(b"numpy", b"dtype"), Some(Global::Dtype));
        assert_eq!(Global::find(b"pandas.core.frame", b"DataFrame"), Some(Global::DataFrame));
        assert_eq!(Global::DataFrame.name(), "pandas.core.frame.DataFrame");
        for (module, name) in [
            ("os", "system"),
            ("numpy", "dtype "),
            ("numpy ", "dtype"),
            ("numpy", "dtype.__call__"),
            ("pandas", "read_pickle"),
            ("builtins", "eval"),
            ("builtins", "getattr"),
            ("", "numpy.dtype"),
        ] {
            assert_eq!(Global::find(module.as_bytes(), name.as_bytes()), None, "{module}.{name}");
        }
    }
}
