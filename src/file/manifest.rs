//! The manifest: what a data set holds and which files it is made of. It is written last, so a data set without a
//! complete manifest does not exist.

use std::{fs::File, io::Read as _, path::Path};

use arrow_schema::{Field, Schema};
use serde::{Deserialize, Serialize};

use super::error::{self, Damage, Error};
use crate::{columnar::schema as convention, limits::files::MANIFEST_BYTES_MAX};

/// Version of the manifest's own form that this program writes; it reads this and older ones.
pub const FORMAT: u32 = 1;

/// What a data set holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub format: u32,
    /// Version of the program that wrote the data set.
    pub tool_version: String,
    /// Counts how often the data set was written.
    pub generation: u64,
    /// The domain, if the data set follows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Name of the key column, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Number of rows.
    pub rows: u64,
    /// Rows whose key an earlier row had.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeated_keys: u64,
    /// The columns, for people; the exact Arrow schema stands in the files.
    pub schema: Vec<ColumnInfo>,
    /// Where the rows came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceInfo>,
    /// The session that brought the last rows, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionMark>,
    /// Identity of the content: schema, rows and `d`.
    pub fingerprint: String,
    /// Sum of the row digests, each bound to its row number.
    #[serde(with = "hex")]
    pub d: u128,
    /// Sum of the row digests over the last row of each key.
    #[serde(with = "hex")]
    pub k: u128,
    /// Rows between two checkpoints.
    pub checkpoint_rows: u64,
    /// `d` of the first 1, 2, 3, … times `checkpoint_rows` rows.
    #[serde(with = "hex_list")]
    pub checkpoints: Vec<u128>,
    /// The files.
    pub files: Files,
}

/// One column of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its Arrow type.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether values can be missing.
    pub nullable: bool,
    /// What a missing value means on the wire: `empty` or `default:VALUE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null: Option<String>,
    /// The column's name in the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The file a data set was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// Its name, without folders.
    pub file_name: String,
    /// Its size in bytes.
    pub size: u64,
    /// BLAKE3 of its bytes, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
}

/// How far a session had come when it made this version of its table: so a crash between that and the session's own record
/// of it is told from one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionMark {
    /// The session, in hexadecimal.
    pub id: String,
    /// Its rows that the table holds.
    pub rows: u64,
}

/// The files a data set is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// `NAME.parquet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parquet: Option<FileInfo>,
    /// `NAME.arrow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrow: Option<FileInfo>,
    /// `NAME.ids`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<FileInfo>,
}

/// One file of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Its size in bytes.
    pub size: u64,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub blake3: String,
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Manifest {
    /// Reads the manifest at `path`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut text = Vec::new();
        let file = File::open(path).map_err(error::io(path, "open"))?;
        file.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut text).map_err(error::io(path, "read"))?;
        Self::parse(&text, path)
    }

    /// Parses a manifest; `path` is what errors call it.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, Error> {
        check_size(text.len() as u64, path)?;
        let version: Version = serde_json::from_slice(text).map_err(broken(path))?;
        if version.format > FORMAT {
            return Err(Error::NewerFormat { path: path.to_owned(), found: version.format, known: FORMAT });
        }
        let manifest: Self = serde_json::from_slice(text).map_err(broken(path))?;
        manifest.check(path)?;
        Ok(manifest)
    }

    /// The manifest as text.
    pub fn to_json(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|source| Error::Manifest { path: path.to_owned(), source })?;
        text.push(b'\n');
        Ok(text)
    }

    fn check(&self, path: &Path) -> Result<(), Error> {
        let expected = self.rows.checked_div(self.checkpoint_rows);
        if expected == Some(self.checkpoints.len() as u64) {
            return Ok(());
        }
        let reason = "the number of checkpoints does not fit the number of rows".to_owned();
        Err(error::damaged(path, Damage::Structure { reason }))
    }
}

/// The columns of `schema` as the manifest tells them.
pub fn columns(schema: &Schema) -> Vec<ColumnInfo> {
    schema.fields().iter().map(|field| column(field)).collect()
}

fn column(field: &Field) -> ColumnInfo {
    let metadata = |key| field.metadata().get(key).cloned();
    ColumnInfo {
        name: field.name().clone(),
        data_type: field.data_type().to_string(),
        nullable: field.is_nullable(),
        null: metadata(convention::NULL),
        source: metadata(convention::SOURCE),
    }
}

fn check_size(found: u64, path: &Path) -> Result<(), Error> {
    if found <= MANIFEST_BYTES_MAX {
        return Ok(());
    }
    Err(error::damaged(path, Damage::TooLarge { what: "manifest", found, limit: MANIFEST_BYTES_MAX }))
}

fn broken(path: &Path) -> impl FnOnce(serde_json::Error) -> Error {
    move |source| error::damaged(path, Damage::Structure { reason: format!("manifest: {source}") })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// 128-bit sums as 32 hexadecimal digits: JSON numbers lose them.
pub(crate) mod hex {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:032x}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        parse(&String::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("not 32 hexadecimal digits"))
    }

    pub(super) fn parse(text: &str) -> Option<u128> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
    }
}

/// The same for a list.
mod hex_list {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(values: &[u128], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| format!("{value:032x}")))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u128>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let values = texts.iter().map(|text| super::hex::parse(text));
        values.collect::<Option<_>>().ok_or_else(|| D::Error::custom("not 32 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::testing;

    fn manifest() -> Manifest {
        let file = FileInfo { size: 7, blake3: "00".repeat(32) };
        Manifest {
            format: FORMAT,
            tool_version: "0.1.0".to_owned(),
            generation: 3,
            domain: Some("recruit".to_owned()),
            key: Some("id".to_owned()),
            rows: 2500,
            repeated_keys: 0,
            schema: columns(&testing::schema()),
            source: None,
            session: None,
            fingerprint: "rows-v1:x".to_owned(),
            d: u128::MAX - 5,
            k: 1,
            checkpoint_rows: 1000,
            checkpoints: vec![7, u128::MAX],
            files: Files { arrow: Some(file), ..Files::default() },
        }
    }

    fn text() -> Vec<u8> {
        manifest().to_json(Path::new("t.json")).unwrap()
    }

    fn parse(text: &[u8]) -> Result<Manifest, Error> {
        Manifest::parse(text, Path::new("t.json"))
    }

    #[test]
    fn it_comes_back_with_every_bit_of_its_sums() {
        assert_eq!(parse(&text()).unwrap(), manifest());
    }

    #[test]
    fn a_newer_form_is_told_as_such() {
        let error = parse(br#"{"format": 2, "novelty": true}"#).unwrap_err();
        assert!(matches!(error, Error::NewerFormat { found: 2, .. }), "{error}");
        assert!(error.to_string().contains("t.json"));
    }

    #[test]
    fn damage_is_an_error_not_a_panic() {
        let text = text();
        let whole = text.trim_ascii_end().len();
        for kept in 0..whole {
            parse(&text[..kept]).unwrap_err();
        }
        for flipped in testing::bit_flips(&text) {
            _ = parse(&flipped);
        }
    }

    #[test]
    fn checkpoints_must_fit_the_rows() {
        let short = Manifest { checkpoints: vec![1], ..manifest() };
        let error = parse(&short.to_json(Path::new("t.json")).unwrap()).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }
}
