//! Reading a data set: the manifest, and files that are what it says.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    once::Once,
    place::{PARTS, Place},
};
use crate::{
    columnar::schema as convention,
    file::{
        Damage, Error, Manifest,
        arrow_ipc::ArrowSource,
        error,
        ids::{Ids, IdsBuilder},
        manifest::{self, FileInfo},
        map::{Access, Contents, Identity},
        parquet::ParquetSource,
    },
};

/// How often a data set that is replaced while it is opened is opened again.
const ATTEMPTS: usize = 16;

/// Rows of a batch when keys are read from Parquet.
const KEY_BATCH_ROWS: usize = 16_384;

/// An open data set; cheap to clone. It stays what it was when it is replaced.
#[derive(Debug, Clone)]
pub struct Dataset(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    access: Access,
    manifest: Manifest,
    schema: SchemaRef,
    arrow: Option<ArrowSource>,
    parquet: Option<Contents>,
    ids: Once<Option<Ids>>,
}

impl Dataset {
    /// Opens `DIR/NAME`, one of its files, or the only data set of a folder.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(path, Access::Map)
    }

    /// The same, with or without mapping.
    pub fn open_with(path: impl AsRef<Path>, access: Access) -> Result<Self, Error> {
        let place = find(path.as_ref())?;
        for _ in 0..ATTEMPTS {
            let manifest = Manifest::read(&place.manifest())?;
            let opened = Inner::open(&place, manifest.clone(), access);
            if Manifest::read(&place.manifest())? == manifest {
                return opened.map(|inner| Self(Arc::new(inner)));
            }
        }
        Err(Error::Changed { path: place.manifest() })
    }

    /// Names of the data sets in `folder`, sorted.
    pub fn list(folder: &Path) -> Result<Vec<String>, Error> {
        list(folder)
    }

    /// The data set's name.
    pub fn name(&self) -> &str {
        &self.0.place.name
    }

    /// The folder it stands in.
    pub fn folder(&self) -> &Path {
        &self.0.place.folder
    }

    /// What the data set holds.
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// The Arrow schema, with the metadata of `columnar::schema`.
    pub fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.0.manifest.rows
    }

    /// The Arrow file.
    pub fn arrow(&self) -> Result<&ArrowSource, Error> {
        self.0.arrow.as_ref().ok_or_else(|| self.0.absent("Arrow"))
    }

    /// The Parquet file.
    pub fn parquet(&self) -> Result<ParquetSource, Error> {
        let contents = self.0.parquet.clone().ok_or_else(|| self.0.absent("Parquet"))?;
        let source = ParquetSource::open(contents)?;
        self.0.check(source.contents(), source.fingerprint(), source.rows())?;
        Ok(source)
    }

    /// Number of batches in the Arrow file.
    pub fn batch_count(&self) -> usize {
        self.0.arrow.as_ref().map_or(0, ArrowSource::batch_count)
    }

    /// Batch `index` of the Arrow file, straight from the map.
    pub fn batch(&self, index: usize) -> Result<RecordBatch, Error> {
        self.arrow()?.batch(index)
    }

    /// The batch that holds row `row`, and the row's place in it.
    pub fn locate(&self, row: u64) -> Option<(usize, usize)> {
        self.0.arrow.as_ref()?.locate(row)
    }

    /// The id index, made again if it is missing; none if the table has no key.
    pub fn ids(&self) -> Result<Option<&Ids>, Error> {
        Ok(self.0.ids.or_make(|| self.0.make_ids())?.as_ref())
    }

    /// The last row whose key is `key`.
    pub fn row_of(&self, key: &str) -> Result<Option<u64>, Error> {
        let Some(ids) = self.ids()? else { return Ok(None) };
        let row = ids.find(key).filter(|&row| row < self.rows());
        Ok(row)
    }

    /// The first row whose key is `key`.
    pub fn first_row_of(&self, key: &str) -> Result<Option<u64>, Error> {
        let Some(ids) = self.ids()? else { return Ok(None) };
        Ok(ids.find_first(key).filter(|&row| row < self.rows()))
    }

    /// Identity of the manifest as it is now: another one once the data set was replaced.
    pub fn identity(&self) -> Result<Identity, Error> {
        let path = self.0.place.manifest();
        let metadata = fs::metadata(&path).map_err(error::io(&path, "stat"))?;
        Ok(Identity::of(&metadata))
    }

    /// Says that the Arrow file still has its name.
    pub fn check_present(&self) -> Result<(), Error> {
        let path = self.arrow()?.contents().path();
        fs::metadata(path).map(drop).map_err(error::io(path, "stat"))
    }

    /// Says that the files are still those that were opened.
    pub fn recheck(&self) -> Result<(), Error> {
        self.0.arrow.as_ref().map_or(Ok(()), ArrowSource::recheck)?;
        self.0.parquet.as_ref().map_or(Ok(()), Contents::recheck)
    }

    /// Reads every file whole and compares it with the manifest.
    pub fn verify_digests(&self) -> Result<(), Error> {
        let files = &self.0.manifest.files;
        let arrow = self.0.arrow.as_ref().map(ArrowSource::contents);
        let (arrow, rest) = rayon::join(
            || verify(arrow, files.arrow.as_ref()),
            || {
                verify(self.0.parquet.as_ref(), files.parquet.as_ref())?;
                verify(self.ids()?.map(Ids::contents), files.ids.as_ref())
            },
        );
        arrow.and(rest)
    }
}

impl Inner {
    fn open(place: &Place, manifest: Manifest, access: Access) -> Result<Self, Error> {
        let part =
            |part, info: Option<&FileInfo>| info.map(|info| open_part(place, &manifest, part, info, access));
        let arrow =
            part("arrow", manifest.files.arrow.as_ref()).transpose()?.map(ArrowSource::open).transpose()?;
        let parquet = part("parquet", manifest.files.parquet.as_ref()).transpose()?;
        let schema = match (&arrow, &parquet) {
            (Some(arrow), _) => Arc::clone(arrow.schema()),
            (None, Some(parquet)) => Arc::clone(ParquetSource::open(parquet.clone())?.schema()),
            (None, None) => {
                return Err(structure(&place.manifest(), "names neither a Parquet nor an Arrow file"));
            }
        };
        let ids = match part("ids", manifest.files.ids.as_ref()).transpose() {
            Err(Error::NotFound { .. }) => Once::new(),
            ids => Once::with(ids?.map(Ids::open).transpose()?),
        };
        let opened = Self { place: place.clone(), access, manifest, schema, arrow, parquet, ids };
        if let Some(arrow) = &opened.arrow {
            opened.check(arrow.contents(), arrow.fingerprint(), arrow.rows())?;
        }
        opened.check_columns()
    }

    fn check_columns(self) -> Result<Self, Error> {
        if manifest::columns(&self.schema) == self.manifest.schema {
            return Ok(self);
        }
        Err(error::damaged(self.place.manifest(), Damage::Columns))
    }

    /// Says that a file's footer belongs to this manifest: files of equal size can be swapped.
    fn check(&self, contents: &Contents, fingerprint: Option<&str>, rows: u64) -> Result<(), Error> {
        let (path, expected) = (contents.path(), self.manifest.rows);
        if fingerprint != Some(&self.manifest.fingerprint) {
            return Err(error::damaged(path, Damage::Fingerprint));
        }
        if rows == expected {
            Ok(())
        } else {
            Err(error::damaged(path, Damage::Rows { expected, found: rows }))
        }
    }

    fn absent(&self, part: &'static str) -> Error {
        Error::Absent { path: self.place.manifest(), part }
    }

    /// Makes the index that is missing again. It equals the one that was lost; where it cannot be put back, it serves
    /// without a name.
    fn make_ids(&self) -> Result<Option<Ids>, Error> {
        let Some(info) = &self.manifest.files.ids else { return Ok(None) };
        let contents = match self.put_back_ids() {
            Ok(contents) => contents,
            Err(_) => self.build_ids()?.finish_unnamed(&std::env::temp_dir(), self.access)?,
        };
        check_size(&contents, info)?;
        Ids::open(contents).map(Some)
    }

    fn put_back_ids(&self) -> Result<Contents, Error> {
        let file = self.place.create("ids")?;
        let (mut synced, _) = self.build_ids()?.finish(file)?;
        let contents = Contents::open(synced.path(), self.access)?;
        self.place.restore(&mut synced, &self.manifest)?;
        Ok(contents)
    }

    fn build_ids(&self) -> Result<IdsBuilder, Error> {
        let mut ids = IdsBuilder::new(&self.place.plain("ids"), &std::env::temp_dir());
        let key = convention::key_index(&self.schema).ok_or_else(|| self.absent("key column of the"))?;
        for column in self.key_batches(key)? {
            ids.add(column?.column(0), self.schema.field(key).name())?;
        }
        Ok(ids)
    }

    fn key_batches(&self, key: usize) -> Result<Box<dyn Iterator<Item = Result<RecordBatch, Error>>>, Error> {
        if let Some(arrow) = &self.arrow {
            let path = self.place.plain("arrow");
            let project = move |batch: RecordBatch| batch.project(&[key]).map_err(error::arrow(path.clone()));
            return Ok(Box::new(arrow.batches().map(move |batch| project(batch?))));
        }
        let parquet = self.parquet.clone().ok_or_else(|| self.absent("Parquet"))?;
        Ok(Box::new(ParquetSource::open(parquet)?.batches(KEY_BATCH_ROWS, Some(&[key]))?))
    }
}

/// Opens a part under its generation's name, else under the plain one.
fn open_part(
    place: &Place,
    manifest: &Manifest,
    part: &str,
    info: &FileInfo,
    access: Access,
) -> Result<Contents, Error> {
    let contents = match Contents::open(&place.of_generation(manifest.generation, part), access) {
        Err(Error::NotFound { .. }) => Contents::open(&place.plain(part), access)?,
        opened => opened?,
    };
    check_size(&contents, info)?;
    Ok(contents)
}

fn check_size(contents: &Contents, info: &FileInfo) -> Result<(), Error> {
    let (expected, found) = (info.size, contents.len() as u64);
    if expected == found {
        Ok(())
    } else {
        Err(error::damaged(contents.path(), Damage::Size { expected, found }))
    }
}

fn verify(contents: Option<&Contents>, info: Option<&FileInfo>) -> Result<(), Error> {
    let (Some(contents), Some(info)) = (contents, info) else { return Ok(()) };
    let found = crate::file::digest_of(contents).to_hex();
    if found.as_str() == info.blake3 { Ok(()) } else { Err(error::damaged(contents.path(), Damage::Digest)) }
}

fn structure(path: &Path, reason: &str) -> Error {
    error::damaged(path, Damage::Structure { reason: reason.to_owned() })
}

/// The data set that `path` means.
pub(super) fn find(path: &Path) -> Result<Place, Error> {
    let named = place(path).filter(|place| place.manifest().is_file());
    if let Some(found) = named.or_else(|| of_file(path)) {
        return Ok(found);
    }
    if !path.is_dir() {
        return Err(Error::NoDataset { path: path.to_owned() });
    }
    match list(path)?.as_slice() {
        [] => Err(Error::NoDataset { path: path.to_owned() }),
        [name] => Place::new(path, name),
        several => Err(Error::Ambiguous { path: path.to_owned(), names: several.to_vec() }),
    }
}

fn place(path: &Path) -> Option<Place> {
    Place::new(path.parent()?, path.file_name()?.to_str()?).ok()
}

/// `DIR/NAME.arrow` and its like.
fn of_file(path: &Path) -> Option<Place> {
    let extension = path.extension()?.to_str()?;
    let part = extension == "json" || PARTS.contains(&extension);
    part.then(|| place(&path.with_extension(""))).flatten().filter(|place| place.manifest().is_file())
}

fn list(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(folder).map_err(error::io(folder, "list"))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut names: Vec<String> = paths.filter_map(|path: PathBuf| manifest_name(&path)).collect();
    names.sort_unstable();
    Ok(names)
}

/// The name of the data set whose manifest `path` is: other JSON files may stand in the folder.
fn manifest_name(path: &Path) -> Option<String> {
    let json = path.extension().is_some_and(|extension| extension == "json");
    let readable =
        json && !matches!(Manifest::read(path), Err(Error::Damaged { .. } | Error::NotFound { .. }));
    path.file_stem()?.to_str().filter(|name| readable && !name.starts_with('.')).map(str::to_owned)
}
