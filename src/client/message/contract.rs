//! The RPC and the map that a user names: files, read and compiled.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Error;
use crate::{
    limits::schema::FILE_BYTES_MAX,
    schema::{self, message_map::MessageMap},
    wire::Contract,
};

/// Where an RPC and the way of a table to it are described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The `.proto` file.
    pub proto: PathBuf,
    /// Folders in which imports are looked for, beside the file's own. Google's well-known types need none.
    pub includes: Vec<PathBuf>,
    /// The RPC, as `package.Service/Method`.
    pub rpc: String,
    /// The map; none: columns match fields by name.
    pub map: Option<PathBuf>,
}

impl Source {
    /// Compiles the file and finds the RPC.
    pub(super) fn contract(&self) -> Result<Contract, Error> {
        let unread = |source| Error::Read { path: self.proto.clone(), source };
        fs::metadata(&self.proto).map_err(unread)?;
        let own = self.proto.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folders = self.includes.iter().map(PathBuf::as_path).chain([own.unwrap_or(Path::new("."))]);
        let fault = |error: protox::Error| Error::Proto { what: spoken(&error) };
        let mut compiler = protox::Compiler::new(folders).map_err(fault)?;
        compiler.include_imports(true).open_file(&self.proto).map_err(fault)?;
        Ok(Contract::find(&compiler.encode_file_descriptor_set(), &self.rpc)?)
    }

    /// Reads the map.
    pub(super) fn message_map(&self) -> Result<MessageMap, Error> {
        let Some(path) = &self.map else { return Ok(MessageMap::default()) };
        let unread = |source| Error::Read { path: path.clone(), source };
        let bytes = fs::metadata(path).map_err(unread)?.len();
        if bytes > FILE_BYTES_MAX as u64 {
            return Err(Error::TooLong { path: path.clone(), bytes, bytes_max: FILE_BYTES_MAX });
        }
        let text = fs::read_to_string(path).map_err(unread)?;
        Ok(schema::parse_map(&text, &path.display().to_string())?)
    }
}

/// The compiler's long form, which names the file, the line and the column.
fn spoken(error: &protox::Error) -> String {
    let long = format!("{error:?}");
    let hint =
        if long.ends_with("found 'edition'") { "; editions are not read: proto2 and proto3 are" } else { "" };
    long + hint
}
