//! The files of a data set as they stand, in whatever state: what verification looks at.

use std::path::{Path, PathBuf};

use super::{place::Place, reader::find};
use crate::file::{
    Error, FileInfo, Manifest,
    map::{Access, Contents},
};

/// A data set of which only the manifest has been read.
#[derive(Debug, Clone)]
pub(in crate::file) struct Parts {
    place: Place,
    /// The manifest.
    pub(in crate::file) manifest: Manifest,
}

impl Parts {
    /// Finds the data set that `path` means, as `Dataset::open` does.
    pub(in crate::file) fn find(path: &Path) -> Result<Self, Error> {
        let place = find(path)?;
        let manifest = Manifest::read(&place.manifest())?;
        Ok(Self { place, manifest })
    }

    /// `DIR/NAME`.
    pub(in crate::file) fn path(&self) -> PathBuf {
        self.place.folder.join(&self.place.name)
    }

    /// The data set's name.
    pub(in crate::file) fn name(&self) -> &str {
        &self.place.name
    }

    /// What the manifest says of a part, if there is one.
    pub(in crate::file) fn info(&self, part: &str) -> Option<&FileInfo> {
        let files = &self.manifest.files;
        match part {
            "parquet" => files.parquet.as_ref(),
            "arrow" => files.arrow.as_ref(),
            _ => files.ids.as_ref(),
        }
    }

    /// The file of a part: under its generation's name, else under the plain one.
    pub(in crate::file) fn open(&self, part: &str, access: Access) -> Result<Contents, Error> {
        match Contents::open(&self.place.of_generation(self.manifest.generation, part), access) {
            Err(Error::NotFound { .. }) => Contents::open(&self.place.plain(part), access),
            opened => opened,
        }
    }

    /// Says that the data set has not been replaced since.
    pub(in crate::file) fn recheck(&self) -> Result<(), Error> {
        let path = self.place.manifest();
        if Manifest::read(&path)? == self.manifest { Ok(()) } else { Err(Error::Changed { path }) }
    }
}
