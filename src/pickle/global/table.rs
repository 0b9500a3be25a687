//! The table itself: meaning, and every name that a released version wrote for it.
//!
//! The names are those of pandas 0.10 to 3.1, NumPy 1 and 2, pyarrow, and the standard library of Python 2 and 3, which
//! spells some of its modules differently up to protocol 2.

macro_rules! globals {
    ($($(#[doc = $doc:literal])* $variant:ident = [$($module:literal . $name:literal),+ $(,)?];)*) => {
        /// What a global means, whatever name it had in the version that wrote it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Global {
            $($(#[doc = $doc])* $variant,)*
        }

        /// Module, name, meaning.
        pub(super) const TABLE: &[(&str, &str, Global)] =
            &[$($(($module, $name, Global::$variant),)+)*];

        impl Global {
            /// The first name it had, for messages.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => [$(concat!($module, ".", $name)),+][0],)*
                }
            }

            /// What it means, in a few words.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),*).trim_ascii(),)*
                }
            }
        }
    };
}

globals! {
    // === NumPy ===

    /// An array that BUILD fills.
    Reconstruct = ["numpy.core.multiarray"."_reconstruct", "numpy._core.multiarray"."_reconstruct"];
    /// An array of protocol 5.
    FromBuffer = ["numpy.core.numeric"."_frombuffer", "numpy._core.numeric"."_frombuffer"];
    /// One number.
    Scalar = ["numpy.core.multiarray"."scalar", "numpy._core.multiarray"."scalar"];
    /// The array class.
    NdArray = [
        "numpy"."ndarray",
        "numpy"."matrix", "numpy.matrixlib.defmatrix"."matrix", "numpy.core.defmatrix"."matrix",
        "numpy"."recarray", "numpy.rec"."recarray", "numpy.core.records"."recarray",
        "numpy"."memmap", "numpy.core.memmap"."memmap",
    ];
    /// The type of an array's items.
    Dtype = ["numpy"."dtype"];
    /// An array of joblib, whose bytes follow the object.
    JoblibArray = ["joblib.numpy_pickle"."NumpyArrayWrapper", "sklearn.externals.joblib.numpy_pickle"."NumpyArrayWrapper"];
    /// The class of a record array's items.
    Record = ["numpy"."record", "numpy.rec"."record", "numpy.core.records"."record"];
    /// The class of one number.
    NumpyType = [
        "numpy"."bool_", "numpy"."bool", "numpy"."int8", "numpy"."int16", "numpy"."int32", "numpy"."int64",
        "numpy"."uint8", "numpy"."uint16", "numpy"."uint32", "numpy"."uint64", "numpy"."float16", "numpy"."float32",
        "numpy"."float64", "numpy"."object_", "numpy"."str_", "numpy"."bytes_", "numpy"."datetime64",
        "numpy"."timedelta64",
    ];
    /// The parameters of NumPy's variable-width text.
    StringDtypeKwargs = ["numpy._core._internal"."_convert_to_stringdtype_kwargs"];
    /// An array with a mask.
    MaskedReconstruct = ["numpy.ma.core"."_mareconstruct", "numpy.ma.mrecords"."_mrreconstruct"];
    /// The class of arrays with a mask.
    NumpyMaskedArray = [
        "numpy.ma.core"."MaskedArray", "numpy.ma"."MaskedArray",
        "numpy.ma.mrecords"."MaskedRecords",
    ];

    // === Frames and series ===

    /// A frame.
    DataFrame = [
        "pandas.core.frame"."DataFrame", "pandas"."DataFrame", "geopandas.geodataframe"."GeoDataFrame",
    ];
    /// A series.
    Series = [
        "pandas.core.series"."Series", "pandas"."Series", "pandas.core.series"."TimeSeries",
        "geopandas.geoseries"."GeoSeries",
    ];
    /// A stack of frames, of pandas before 0.25.
    Panel = ["pandas.core.panel"."Panel"];
    /// A series of few values, of pandas before 1.0.
    SparseSeries = [
        "pandas.sparse.series"."SparseSeries", "pandas.sparse.series"."SparseTimeSeries",
        "pandas.core.sparse.series"."SparseSeries",
    ];
    /// A frame of few values, of pandas before 1.0.
    SparseDataFrame = ["pandas.sparse.frame"."SparseDataFrame", "pandas.core.sparse.frame"."SparseDataFrame"];
    /// The blocks of a frame.
    BlockManager = ["pandas.core.internals.managers"."BlockManager", "pandas.core.internals"."BlockManager"];
    /// The block of a series.
    SingleBlockManager = [
        "pandas.core.internals.managers"."SingleBlockManager", "pandas.core.internals"."SingleBlockManager",
    ];
    /// A block.
    UnpickleBlock = ["pandas._libs.internals"."_unpickle_block"];
    /// A block, of pandas 1.3.
    NewBlock = ["pandas.core.internals.blocks"."new_block"];
    /// Only ever around a block, of pandas 1.3.
    Partial = ["functools"."partial"];
    /// A range of positions.
    Slice = ["builtins"."slice", "__builtin__"."slice"];

    // === Indexes ===

    /// An index of any class.
    NewIndex = [
        "pandas.core.indexes.base"."_new_Index", "pandas.indexes.base"."_new_Index", "pandas.core.index"."_new_Index",
    ];
    /// An index of times.
    NewDatetimeIndex = [
        "pandas.core.indexes.datetimes"."_new_DatetimeIndex", "pandas.tseries.index"."_new_DatetimeIndex",
    ];
    /// An index of durations.
    NewTimedeltaIndex = ["pandas.core.indexes.timedeltas"."_new_TimedeltaIndex"];
    /// An index of periods.
    NewPeriodIndex = ["pandas.core.indexes.period"."_new_PeriodIndex", "pandas.tseries.period"."_new_PeriodIndex"];
    /// An index of intervals.
    NewIntervalIndex = [
        "pandas.core.indexes.interval"."_new_IntervalIndex", "pandas.indexes.interval"."_new_IntervalIndex",
    ];
    /// Labels.
    Index = [
        "pandas.core.indexes.base"."Index", "pandas"."Index",
        "pandas.core.indexes.numeric"."Int64Index", "pandas.core.indexes.numeric"."UInt64Index",
        "pandas.core.indexes.numeric"."Float64Index",
        "pandas.indexes.base"."Index", "pandas.indexes.numeric"."Int64Index",
        "pandas.indexes.numeric"."UInt64Index", "pandas.indexes.numeric"."Float64Index",
        "pandas.core.index"."Index", "pandas.core.index"."Int64Index", "pandas.core.index"."UInt64Index",
        "pandas.core.index"."Float64Index",
    ];
    /// Labels in a row: no data.
    RangeIndex = [
        "pandas.core.indexes.range"."RangeIndex", "pandas"."RangeIndex", "pandas.indexes.range"."RangeIndex",
        "pandas.core.index"."RangeIndex",
    ];
    /// Labels of a category.
    CategoricalIndex = [
        "pandas.core.indexes.category"."CategoricalIndex", "pandas"."CategoricalIndex",
        "pandas.indexes.category"."CategoricalIndex", "pandas.core.index"."CategoricalIndex",
    ];
    /// Labels of several levels.
    MultiIndex = [
        "pandas.core.indexes.multi"."MultiIndex", "pandas"."MultiIndex", "pandas.indexes.multi"."MultiIndex",
        "pandas.core.index"."MultiIndex",
    ];
    /// Labels that are times.
    DatetimeIndex = [
        "pandas.core.indexes.datetimes"."DatetimeIndex", "pandas"."DatetimeIndex",
        "pandas.tseries.index"."DatetimeIndex",
    ];
    /// Labels that are durations.
    TimedeltaIndex = [
        "pandas.core.indexes.timedeltas"."TimedeltaIndex", "pandas"."TimedeltaIndex",
        "pandas.tseries.tdi"."TimedeltaIndex",
    ];
    /// Labels that are periods.
    PeriodIndex = [
        "pandas.core.indexes.period"."PeriodIndex", "pandas"."PeriodIndex", "pandas.tseries.period"."PeriodIndex",
    ];
    /// Labels that are intervals.
    IntervalIndex = [
        "pandas.core.indexes.interval"."IntervalIndex", "pandas"."IntervalIndex",
        "pandas.indexes.interval"."IntervalIndex",
    ];
    /// A list of names or levels.
    FrozenList = [
        "pandas.core.indexes.frozen"."FrozenList", "pandas.core.base"."FrozenList", "pandas.indexes.frozen"."FrozenList",
    ];
    /// The codes of a level.
    FrozenNdArray = [
        "pandas.core.indexes.frozen"."FrozenNDArray", "pandas.core.base"."FrozenNDArray",
        "pandas.indexes.frozen"."FrozenNDArray",
    ];

    // === Extension arrays and their types ===

    /// An array around a NumPy array.
    UnpickleNdArrayBacked = ["pandas._libs.arrays"."__pyx_unpickle_NDArrayBacked"];
    /// Codes and categories.
    Categorical = [
        "pandas.core.arrays.categorical"."Categorical", "pandas"."Categorical",
        "pandas.core.categorical"."Categorical",
    ];
    /// The type of a categorical.
    CategoricalDtype = [
        "pandas.core.dtypes.dtypes"."CategoricalDtype", "pandas"."CategoricalDtype",
        "pandas.types.dtypes"."CategoricalDtype",
    ];
    /// Times.
    DatetimeArray = ["pandas.core.arrays.datetimes"."DatetimeArray", "pandas.arrays"."DatetimeArray"];
    /// The type of times with a zone.
    DatetimeTzDtype = [
        "pandas.core.dtypes.dtypes"."DatetimeTZDtype", "pandas"."DatetimeTZDtype",
        "pandas.types.dtypes"."DatetimeTZDtype",
    ];
    /// Durations.
    TimedeltaArray = ["pandas.core.arrays.timedeltas"."TimedeltaArray", "pandas.arrays"."TimedeltaArray"];
    /// Periods.
    PeriodArray = ["pandas.core.arrays.period"."PeriodArray", "pandas.arrays"."PeriodArray"];
    /// Periods of pandas 1.1 and 1.2, or one period.
    UnpicklePeriodMixin = ["pandas._libs.tslibs.period"."__pyx_unpickle_PeriodMixin"];
    /// The type of periods.
    PeriodDtype = [
        "pandas.core.dtypes.dtypes"."PeriodDtype", "pandas"."PeriodDtype", "pandas.types.dtypes"."PeriodDtype",
    ];
    /// Intervals.
    IntervalArray = ["pandas.core.arrays.interval"."IntervalArray", "pandas.arrays"."IntervalArray"];
    /// Two sides of intervals.
    UnpickleIntervalMixin = ["pandas._libs.interval"."__pyx_unpickle_IntervalMixin"];
    /// The type of intervals.
    IntervalDtype = ["pandas.core.dtypes.dtypes"."IntervalDtype", "pandas"."IntervalDtype"];
    /// Few values among many of one.
    SparseArray = [
        "pandas.core.arrays.sparse.array"."SparseArray", "pandas.arrays"."SparseArray",
        "pandas.core.arrays.sparse"."SparseArray", "pandas.core.sparse.array"."SparseArray",
        "pandas.sparse.array"."SparseArray",
    ];
    /// Positions of sparse values.
    SparseIntIndex = ["pandas._libs.sparse"."IntIndex", "pandas._sparse"."IntIndex", "pandas.sparse.libsparse"."IntIndex"];
    /// Runs of positions of sparse values.
    SparseBlockIndex = [
        "pandas._libs.sparse"."BlockIndex", "pandas._sparse"."BlockIndex", "pandas.sparse.libsparse"."BlockIndex",
    ];
    /// The type of a sparse array.
    SparseDtype = [
        "pandas.core.dtypes.dtypes"."SparseDtype", "pandas"."SparseDtype",
        "pandas.core.arrays.sparse.dtype"."SparseDtype", "pandas.core.arrays.sparse"."SparseDtype",
    ];
    /// Text as an object array.
    StringArray = [
        "pandas.core.arrays.string_"."StringArray", "pandas.core.arrays.string_"."StringArrayNumpySemantics",
        "pandas.arrays"."StringArray",
    ];
    /// The type of text.
    StringDtype = ["pandas.core.arrays.string_"."StringDtype", "pandas"."StringDtype"];
    /// Text as an Arrow array.
    ArrowStringArray = [
        "pandas.core.arrays.string_arrow"."ArrowStringArray",
        "pandas.core.arrays.string_arrow"."ArrowStringArrayNumpySemantics", "pandas.arrays"."ArrowStringArray",
    ];
    /// Any Arrow array.
    ArrowExtensionArray = [
        "pandas.core.arrays.arrow.array"."ArrowExtensionArray", "pandas.arrays"."ArrowExtensionArray",
        "pandas.core.arrays.arrow"."ArrowExtensionArray",
    ];
    /// The type of an Arrow array.
    ArrowDtype = [
        "pandas.core.dtypes.dtypes"."ArrowDtype", "pandas"."ArrowDtype", "pandas.core.arrays.arrow.dtype"."ArrowDtype",
    ];
    /// Integers, floats or booleans with a mask.
    MaskedArray = [
        "pandas.core.arrays.integer"."IntegerArray", "pandas.core.arrays.floating"."FloatingArray",
        "pandas.core.arrays.boolean"."BooleanArray", "pandas.arrays"."IntegerArray", "pandas.arrays"."FloatingArray",
        "pandas.arrays"."BooleanArray",
    ];
    /// The type of an array with a mask.
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
    /// A NumPy array as it is.
    NumpyExtensionArray = [
        "pandas.core.arrays.numpy_"."PandasArray", "pandas.core.arrays.numpy_"."NumpyExtensionArray",
        "pandas.arrays"."NumpyExtensionArray", "pandas.arrays"."PandasArray",
    ];
    /// The type of a NumPy array as it is.
    NumpyExtensionDtype = [
        "pandas.core.arrays.numpy_"."PandasDtype", "pandas.core.dtypes.dtypes"."PandasDtype",
        "pandas.core.dtypes.dtypes"."NumpyEADtype",
    ];
    /// Shapes as well-known binary.
    GeometryArray = ["geopandas.array"."GeometryArray"];
    /// A coordinate reference system.
    Crs = ["pyproj.crs.crs"."CRS", "pyproj.crs"."CRS"];

    // === Scalars of pandas ===

    /// The missing value `pd.NA`.
    Na = ["pandas._libs.missing"."NA", "pandas"."NA"];
    /// The missing time `pd.NaT`.
    NaT = [
        "pandas._libs.tslibs.nattype"."__nat_unpickle", "pandas._libs.tslibs.nattype"."_nat_unpickle",
        "pandas._libs.tslib"."__nat_unpickle", "pandas.tslib"."__nat_unpickle",
    ];
    /// A time.
    Timestamp = [
        "pandas._libs.tslibs.timestamps"."_unpickle_timestamp", "pandas._libs.tslibs.timestamps"."Timestamp",
        "pandas._libs.tslib"."Timestamp", "pandas.tslib"."Timestamp", "pandas"."Timestamp",
    ];
    /// A duration.
    Timedelta = [
        "pandas._libs.tslibs.timedeltas"."_timedelta_unpickle", "pandas._libs.tslibs.timedeltas"."Timedelta",
        "pandas._libs.tslib"."Timedelta", "pandas.tslib"."Timedelta", "pandas"."Timedelta",
    ];
    /// A period.
    Period = [
        "pandas._libs.tslibs.period"."Period", "pandas"."Period", "pandas._libs.period"."Period",
        "pandas._period"."Period",
    ];
    /// An interval.
    Interval = ["pandas._libs.interval"."Interval", "pandas"."Interval"];

    // === Frequencies ===

    /// Days.
    Day = ["pandas._libs.tslibs.offsets"."Day", "pandas.tseries.offsets"."Day"];
    /// Hours.
    Hour = ["pandas._libs.tslibs.offsets"."Hour", "pandas.tseries.offsets"."Hour"];
    /// Minutes.
    Minute = ["pandas._libs.tslibs.offsets"."Minute", "pandas.tseries.offsets"."Minute"];
    /// Seconds.
    Second = ["pandas._libs.tslibs.offsets"."Second", "pandas.tseries.offsets"."Second"];
    /// Milliseconds.
    Milli = ["pandas._libs.tslibs.offsets"."Milli", "pandas.tseries.offsets"."Milli"];
    /// Microseconds.
    Micro = ["pandas._libs.tslibs.offsets"."Micro", "pandas.tseries.offsets"."Micro"];
    /// Nanoseconds.
    Nano = ["pandas._libs.tslibs.offsets"."Nano", "pandas.tseries.offsets"."Nano"];
    /// Weeks.
    Week = ["pandas._libs.tslibs.offsets"."Week", "pandas.tseries.offsets"."Week"];
    /// Business days.
    BusinessDay = ["pandas._libs.tslibs.offsets"."BusinessDay", "pandas.tseries.offsets"."BusinessDay"];
    /// Months.
    MonthEnd = ["pandas._libs.tslibs.offsets"."MonthEnd", "pandas.tseries.offsets"."MonthEnd"];
    /// Quarters.
    QuarterEnd = ["pandas._libs.tslibs.offsets"."QuarterEnd", "pandas.tseries.offsets"."QuarterEnd"];
    /// Years.
    YearEnd = ["pandas._libs.tslibs.offsets"."YearEnd", "pandas.tseries.offsets"."YearEnd"];
    /// Another frequency: it changes no value.
    Offset = [
        "pandas._libs.tslibs.offsets"."DateOffset", "pandas.tseries.offsets"."DateOffset", "pandas"."DateOffset",
        "pandas._libs.tslibs.offsets"."RelativeDeltaOffset",
        "pandas._libs.tslibs.offsets"."BusinessHour", "pandas.tseries.offsets"."BusinessHour",
        "pandas._libs.tslibs.offsets"."CustomBusinessDay", "pandas.tseries.offsets"."CustomBusinessDay",
        "pandas._libs.tslibs.offsets"."CustomBusinessHour", "pandas.tseries.offsets"."CustomBusinessHour",
        "pandas._libs.tslibs.offsets"."CustomBusinessMonthEnd", "pandas.tseries.offsets"."CustomBusinessMonthEnd",
        "pandas._libs.tslibs.offsets"."CustomBusinessMonthBegin",
        "pandas.tseries.offsets"."CustomBusinessMonthBegin",
        "pandas._libs.tslibs.offsets"."MonthBegin", "pandas.tseries.offsets"."MonthBegin",
        "pandas._libs.tslibs.offsets"."BusinessMonthEnd", "pandas.tseries.offsets"."BusinessMonthEnd",
        "pandas._libs.tslibs.offsets"."BusinessMonthBegin", "pandas.tseries.offsets"."BusinessMonthBegin",
        "pandas._libs.tslibs.offsets"."SemiMonthEnd", "pandas.tseries.offsets"."SemiMonthEnd",
        "pandas._libs.tslibs.offsets"."SemiMonthBegin", "pandas.tseries.offsets"."SemiMonthBegin",
        "pandas._libs.tslibs.offsets"."WeekOfMonth", "pandas.tseries.offsets"."WeekOfMonth",
        "pandas._libs.tslibs.offsets"."LastWeekOfMonth", "pandas.tseries.offsets"."LastWeekOfMonth",
        "pandas._libs.tslibs.offsets"."QuarterBegin", "pandas.tseries.offsets"."QuarterBegin",
        "pandas._libs.tslibs.offsets"."BQuarterEnd", "pandas.tseries.offsets"."BQuarterEnd",
        "pandas._libs.tslibs.offsets"."BQuarterBegin", "pandas.tseries.offsets"."BQuarterBegin",
        "pandas._libs.tslibs.offsets"."YearBegin", "pandas.tseries.offsets"."YearBegin",
        "pandas._libs.tslibs.offsets"."BYearEnd", "pandas.tseries.offsets"."BYearEnd",
        "pandas._libs.tslibs.offsets"."BYearBegin", "pandas.tseries.offsets"."BYearBegin",
        "pandas._libs.tslibs.offsets"."FY5253", "pandas.tseries.offsets"."FY5253",
        "pandas._libs.tslibs.offsets"."FY5253Quarter", "pandas.tseries.offsets"."FY5253Quarter",
        "pandas._libs.tslibs.offsets"."Easter", "pandas.tseries.offsets"."Easter",
        "pandas._libs.tslibs.offsets"."HalfYearEnd", "pandas._libs.tslibs.offsets"."HalfYearBegin",
        "pandas._libs.tslibs.offsets"."BHalfYearEnd", "pandas._libs.tslibs.offsets"."BHalfYearBegin",
    ];
    /// A difference between two dates, inside a frequency.
    RelativeDelta = ["dateutil.relativedelta"."relativedelta"];
    /// A day of the week, inside a difference between two dates.
    Weekday = ["dateutil.relativedelta"."weekday", "dateutil._common"."weekday"];

    // === Time zones ===

    /// UTC.
    PytzUtc = ["pytz"."_UTC", "pytz"."UTC"];
    /// A zone by name.
    PytzZone = ["pytz"."_p"];
    /// A fixed distance from UTC.
    PytzFixed = ["pytz"."FixedOffset", "pytz"."_FixedOffset"];
    /// A fixed distance from UTC.
    TimeZone = ["datetime"."timezone"];
    /// The base class of zones.
    TzInfo = ["datetime"."tzinfo"];
    /// A zone by name.
    ZoneInfo = ["zoneinfo"."ZoneInfo"];
    /// Only ever to reach the constructor of a zone.
    GetAttr = ["builtins"."getattr", "__builtin__"."getattr"];
    /// UTC.
    DateutilUtc = ["dateutil.tz.tz"."tzutc", "dateutil.tz"."tzutc"];
    /// A fixed distance from UTC.
    DateutilOffset = ["dateutil.tz.tz"."tzoffset", "dateutil.tz"."tzoffset"];
    /// A zone by the path of its file.
    DateutilFile = ["dateutil.tz.tz"."tzfile", "dateutil.tz"."tzfile", "dateutil.tz._tzfile"."tzfile"];
    /// A zone by its name and the path of its file.
    DateutilUnpickle = ["dateutil.tz._tzfile"."_unpickle"];
    /// The zone of the machine that wrote the file.
    DateutilLocal = ["dateutil.tz.tz"."tzlocal", "dateutil.tz"."tzlocal"];
    /// A transition of a zone.
    DateutilTransition = ["dateutil.tz.tz"."_ttinfo", "dateutil.tz"."_ttinfo"];

    // === Arrow ===

    /// An array: type, length, buffers, children.
    ArrowArray = ["pyarrow.lib"."_restore_array"];
    /// Arrays one after another.
    ArrowChunks = ["pyarrow.lib"."chunked_array"];
    /// Bytes.
    ArrowBuffer = ["pyarrow.lib"."py_buffer"];
    /// A type by name.
    ArrowType = ["pyarrow.lib"."type_for_alias"];
    /// The type of times.
    ArrowTimestamp = ["pyarrow.lib"."timestamp"];
    /// The type of decimals of 128 bits.
    ArrowDecimal128 = ["pyarrow.lib"."decimal128"];
    /// The type of decimals of 256 bits.
    ArrowDecimal256 = ["pyarrow.lib"."decimal256"];
    /// The type of bytes of one length.
    ArrowBinary = ["pyarrow.lib"."binary"];
    /// The type of lists.
    ArrowList = ["pyarrow.lib"."list_"];
    /// The type of lists with 64-bit offsets.
    ArrowLargeList = ["pyarrow.lib"."large_list"];
    /// A named type.
    ArrowField = ["pyarrow.lib"."field"];
    /// The type of structs.
    ArrowStruct = ["pyarrow.lib"."struct"];
    /// The type of maps.
    ArrowMap = ["pyarrow.lib"."map_"];
    /// The type of dictionaries.
    ArrowDictionary = ["pyarrow.lib"."dictionary"];
    /// The type of runs.
    ArrowRunEndEncoded = ["pyarrow.lib"."run_end_encoded"];
    /// The type of a table.
    ArrowSchema = ["pyarrow.lib"."schema"];
    /// A table.
    ArrowTable = ["pyarrow.lib"."_reconstruct_table"];
    /// A batch of a table.
    ArrowRecordBatch = ["pyarrow.lib"."_reconstruct_record_batch"];

    // === The standard library ===

    /// Bytes before protocol 3.
    CodecsEncode = ["_codecs"."encode"];
    /// Empty bytes before protocol 3.
    Bytes = ["builtins"."bytes", "__builtin__"."bytes"];
    /// Bytes that can change.
    ByteArray = ["builtins"."bytearray", "__builtin__"."bytearray"];
    /// An object of protocols 0 and 1.
    Reconstructor = ["copyreg"."_reconstructor", "copy_reg"."_reconstructor"];
    /// The base class that a reconstructor names.
    Object = ["builtins"."object", "__builtin__"."object"];
    /// A complex number.
    Complex = ["builtins"."complex", "__builtin__"."complex"];
    /// A set.
    Set = ["builtins"."set", "__builtin__"."set"];
    /// A set that cannot change.
    FrozenSet = ["builtins"."frozenset", "__builtin__"."frozenset"];
    /// A list, or the class of lists.
    List = ["builtins"."list", "__builtin__"."list"];
    /// A tuple, or the class of tuples.
    Tuple = ["builtins"."tuple", "__builtin__"."tuple"];
    /// A dict, or the class of dicts.
    Dict = ["builtins"."dict", "__builtin__"."dict"];
    /// The class of integers.
    Int = ["builtins"."int", "__builtin__"."int", "__builtin__"."long"];
    /// The class of floats.
    Float = ["builtins"."float", "__builtin__"."float"];
    /// The class of text.
    Str = ["builtins"."str", "__builtin__"."str", "__builtin__"."unicode"];
    /// A range of integers.
    Range = ["builtins"."range", "__builtin__"."xrange", "__builtin__"."range"];
    /// A dict.
    OrderedDict = ["collections"."OrderedDict"];
    /// A dict whose factory is not used.
    DefaultDict = ["collections"."defaultdict"];
    /// A dict of counts.
    Counter = ["collections"."Counter"];
    /// A list.
    Deque = ["collections"."deque"];
    /// An array of numbers.
    StdArray = ["array"."array"];
    /// An array of numbers as bytes.
    StdArrayReconstructor = ["array"."_array_reconstructor"];
    /// A date.
    Date = ["datetime"."date"];
    /// A time of day.
    Time = ["datetime"."time"];
    /// A date and time of day.
    DateTime = ["datetime"."datetime"];
    /// A duration.
    TimeDelta = ["datetime"."timedelta"];
    /// A decimal number.
    Decimal = ["decimal"."Decimal"];
    /// A fraction.
    Fraction = ["fractions"."Fraction"];
    /// A UUID.
    Uuid = ["uuid"."UUID"];
    /// How a UUID was made.
    SafeUuid = ["uuid"."SafeUUID"];
    /// An address of IPv4.
    Ipv4 = ["ipaddress"."IPv4Address"];
    /// An address of IPv6.
    Ipv6 = ["ipaddress"."IPv6Address"];
    /// A path.
    Path = [
        "pathlib"."PurePosixPath", "pathlib"."PosixPath", "pathlib"."PureWindowsPath", "pathlib"."WindowsPath",
        "pathlib._local"."PurePosixPath", "pathlib._local"."PosixPath", "pathlib._local"."PureWindowsPath",
        "pathlib._local"."WindowsPath",
    ];
}
