//! Where a data set stands: its names, its generations, and the one moment at which it changes.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::file::{
    Error, Manifest,
    atomic::{self, AtomicFile, Synced},
    error,
    manifest::Files,
};

/// The parts beside the manifest, by their file name extension.
pub(super) const PARTS: [&str; 3] = ["parquet", "arrow", "ids"];

/// A folder and a name in it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) name: String,
}

impl Place {
    /// The place of data set `name` in `folder`, if that can be a name.
    pub(super) fn new(folder: &Path, name: &str) -> Result<Self, Error> {
        if let Some(why) = fault(name) {
            return Err(Error::Name { name: name.to_owned(), why });
        }
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Ok(Self { folder: folder.to_owned(), name: name.to_owned() })
    }

    pub(super) fn manifest(&self) -> PathBuf {
        self.plain("json")
    }

    pub(super) fn plain(&self, part: &str) -> PathBuf {
        self.folder.join(self.file_name(part))
    }

    pub(super) fn of_generation(&self, generation: u64, part: &str) -> PathBuf {
        self.folder.join(format!("{}.g{generation}.{part}", self.name))
    }

    fn file_name(&self, part: &str) -> String {
        format!("{}.{part}", self.name)
    }

    /// Begins a part under a temporary name.
    pub(super) fn create(&self, part: &str) -> Result<AtomicFile, Error> {
        AtomicFile::create(&self.folder, &self.file_name(part))
    }

    /// Refuses a place where something stands, if that may not be replaced.
    pub(super) fn check_free(&self, overwrite: bool) -> Result<(), Error> {
        if overwrite {
            return Ok(());
        }
        let taken = ["json"].iter().chain(&PARTS).map(|part| self.plain(part)).find(|path| path.exists());
        taken.map_or(Ok(()), |path| Err(Error::AlreadyExists { path }))
    }

    /// Removes temporary files of writers that are gone.
    pub(super) fn sweep(&self) -> Result<(), Error> {
        ["json"].iter().chain(&PARTS).try_for_each(|part| atomic::sweep(&self.folder, &self.file_name(part)))
    }

    /// Makes the synced `parts` and `manifest` the data set of this place. All or nothing; the manifest's generation is
    /// set here.
    pub(super) fn publish(
        &self,
        parts: Vec<(&'static str, Synced)>,
        mut manifest: Manifest,
        overwrite: bool,
    ) -> Result<Manifest, Error> {
        let _lock = self.lock()?;
        let _publishing = atomic::publishing();
        self.check_free(overwrite)?;
        let current = Manifest::read(&self.manifest()).ok();
        let current_generation = current.as_ref().map(|current| current.generation);
        self.settle(current.as_ref());
        manifest.generation = current_generation.unwrap_or(0) + 1;
        let beside = current_generation.is_some().then_some(manifest.generation);
        let named = Named::all(self, parts, beside)?;
        atomic::sync_folder(&self.folder)?;
        self.write_manifest(&manifest)?.publish()?;
        named.keep();
        atomic::sync_folder(&self.folder)?;
        self.settle(Some(&manifest));
        Ok(manifest)
    }

    /// Puts a part that was lost back, unless the data set has been replaced since.
    pub(super) fn restore(&self, synced: &mut Synced, manifest: &Manifest) -> Result<(), Error> {
        let _lock = self.lock()?;
        if Manifest::read(&self.manifest())? == *manifest {
            synced.publish()?;
        }
        Ok(())
    }

    /// Writers of one folder publish one after the other.
    fn lock(&self) -> Result<File, Error> {
        let folder = File::open(&self.folder).map_err(error::io(&self.folder, "open"))?;
        folder.lock().map_err(error::io(&self.folder, "lock"))?;
        Ok(folder)
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<Synced, Error> {
        let mut file = self.create("json")?;
        io::Write::write_all(&mut file, &manifest.to_json(&self.manifest())?)
            .map_err(error::io(self.manifest(), "write"))?;
        file.sync()
    }

    /// Finishes what follows a commit: the files of the current generation take the plain names, those of others go.
    /// What fails here the next writer does; readers manage either way.
    fn settle(&self, current: Option<&Manifest>) {
        for (path, generation, part) in self.beside() {
            if current.is_some_and(|current| current.generation == generation) {
                _ = fs::rename(path, self.plain(&part));
            } else {
                _ = fs::remove_file(path);
            }
        }
        if let Some(current) = current {
            let obsolete = PARTS.iter().filter(|part| !has(&current.files, part));
            obsolete.for_each(|part| _ = fs::remove_file(self.plain(part)));
        }
        _ = atomic::sync_folder(&self.folder);
    }

    /// Files of this data set that carry a generation in their name.
    fn beside(&self) -> Vec<(PathBuf, u64, String)> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let entries = entries.filter_map(Result::ok).filter_map(|entry| {
            let (generation, part) = self.generation(entry.file_name().to_str()?)?;
            Some((entry.path(), generation, part))
        });
        entries.collect()
    }

    fn generation(&self, file_name: &str) -> Option<(u64, String)> {
        let rest = file_name.strip_prefix(&self.name)?.strip_prefix(".g")?;
        let (generation, part) = rest.split_once('.')?;
        PARTS.contains(&part).then_some((generation.parse().ok()?, part.to_owned()))
    }
}

fn has(files: &Files, part: &str) -> bool {
    match part {
        "parquet" => files.parquet.is_some(),
        "arrow" => files.arrow.is_some(),
        _ => files.ids.is_some(),
    }
}

/// Parts that have their names but no manifest yet; they go if it does not come.
struct Named(Vec<PathBuf>);

impl Named {
    fn all(place: &Place, parts: Vec<(&'static str, Synced)>, beside: Option<u64>) -> Result<Self, Error> {
        let mut named = Self(Vec::with_capacity(parts.len()));
        for (part, mut synced) in parts {
            let path =
                beside.map_or_else(|| place.plain(part), |generation| place.of_generation(generation, part));
            synced.publish_as(&path)?;
            named.0.push(path);
        }
        Ok(named)
    }

    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.0.iter().for_each(|path| _ = fs::remove_file(path));
    }
}

/// Why `name` cannot name a data set.
fn fault(name: &str) -> Option<&'static str> {
    const NAME_BYTES_MAX: usize = 200;
    let generation = name.rsplit_once(".g").map(|(_, digits)| digits);
    if name.is_empty() {
        Some("it is empty")
    } else if name.starts_with('.') {
        Some("it begins with a dot")
    } else if name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        Some("it has a separator or control character in it")
    } else if name.len() > NAME_BYTES_MAX {
        Some("it is longer than 200 bytes")
    } else if generation
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    {
        Some("names that end in .g and a number are kept for versions being replaced")
    } else {
        None
    }
}
