//! One case: its file, its run, and what differs from what it expects.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::told;

pub(super) struct Case {
    path: PathBuf,
    make: Vec<String>,
    as_nobody: bool,
    run: String,
    exit: i32,
    leaves: Vec<String>,
}

impl Case {
    pub(super) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut case = Self {
            path: path.to_owned(),
            make: Vec::new(),
            as_nobody: false,
            run: String::new(),
            exit: 0,
            leaves: Vec::new(),
        };
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("{}: {line}", path.display()));
            let value = value.trim();
            match key {
                "make" => case.make.push(value.to_owned()),
                "as" => case.as_nobody = value == "nobody",
                "run" => value.clone_into(&mut case.run),
                "exit" => case.exit = value.parse().unwrap(),
                "leaves" if value == "nothing" => {}
                "leaves" => case.leaves = value.split(' ').map(str::to_owned).collect(),
                _ => panic!("{}: unknown key {key}", path.display()),
            }
        }
        case
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for line in &self.make {
            let made = shell(line, folder.path()).output().unwrap();
            assert!(
                made.status.success(),
                "{}: {line}: {}",
                self.path.display(),
                String::from_utf8_lossy(&made.stderr)
            );
        }
        let Some(mut command) = self.command(folder.path()) else { return Vec::new() };
        let output = command.output().unwrap();
        let mut faults = self.endings(&output, folder.path());
        faults.extend(self.differs("stdout", &told::plain(&output.stdout, folder.path())));
        faults.extend(self.differs("stderr", &told::plain(&output.stderr, folder.path())));
        faults.extend(self.differs("rejected", &told::rejected(&folder.path().join("out"))));
        faults
    }

    /// The command under test. None where it cannot run here, which is said aloud.
    fn command(&self, folder: &Path) -> Option<Command> {
        if !(self.as_nobody && rustix::process::geteuid().is_root()) {
            return Some(shell(&self.run, folder));
        }
        let rights = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        let probe = shell(&format!("{rights} brine --version"), folder).output().unwrap();
        if !probe.status.success() {
            eprintln!("NOT RUN: {}: rights cannot be given up here", self.path.display());
            return None;
        }
        Some(shell(&format!("{rights} {}", self.run), folder))
    }

    fn endings(&self, output: &Output, folder: &Path) -> Vec<String> {
        let mut faults = Vec::new();
        if output.status.code() != Some(self.exit) {
            faults.push(format!("{}: {} instead of {}", self.path.display(), output.status, self.exit));
        }
        let left = listing(&folder.join("out"));
        if left != self.leaves {
            faults.push(format!("{}: leaves {left:?} instead of {:?}", self.path.display(), self.leaves));
        }
        faults
    }

    fn differs(&self, part: &str, found: &str) -> Option<String> {
        let path = self.path.with_extension(part);
        if std::env::var_os("BLESS").is_some() {
            let written = if found.is_empty() {
                std::fs::remove_file(&path).or(Ok(()))
            } else {
                std::fs::write(&path, found)
            };
            written.unwrap();
            return None;
        }
        let wanted = std::fs::read_to_string(&path).unwrap_or_default();
        (wanted != found).then(|| format!("{}:\n--- expected\n{wanted}--- found\n{found}", path.display()))
    }
}

fn listing(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn shell(line: &str, folder: &Path) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_BIN_EXE_brine")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder).stdin(Stdio::null());
    command.env("PATH", path).env("LC_ALL", "C").env("NO_COLOR", "1");
    command.env("DATA", root.join("data")).env("PICKLES", root.join("tests/fixtures/pickles"));
    command
        .env("PACKED", root.join("tests/fixtures/packed"))
        .env("ARRAYS", root.join("tests/fixtures/arrays"))
        .env("CASES", root.join("tests/cli"))
        .env("TABLES", root.join("tests/fixtures/tables"))
        .env("RARE", root.join("tests/fixtures/rare"))
        .env("MESSAGES", root.join("tests/fixtures/messages"))
        .env("SCHEMAS", root.join("schemas"))
        .env("PROTO", root.join("proto"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BRINE_")) {
        command.env_remove(name);
    }
    command
}
