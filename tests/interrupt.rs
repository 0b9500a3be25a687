//! A conversion that is interrupted leaves nothing behind.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// Half a gigabyte of zeros that takes no place on the disk, as 64 columns.
fn large_array(path: &Path) {
    const ROWS: u64 = 1_000_000;
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({ROWS}, 64), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = File::create(path).unwrap();
    file.write_all(b"\x93NUMPY\x01\x00").unwrap();
    file.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(10 + header.len() as u64 + ROWS * 64 * 8).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn an_interrupted_conversion_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("large.npy"), folder.path().join("out"));
    large_array(&input);
    let mut command = Command::new(env!("CARGO_BIN_EXE_brine"));
    command.arg("convert").args([&input, Path::new("-o"), &out]).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    while names(&out).iter().all(|name| Path::new(name).extension().is_none_or(|it| it != "tmp")) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        std::thread::sleep(Duration::from_millis(1));
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("run the same command again"), "{said}");
    assert_eq!(names(&out), [""; 0]);
}
