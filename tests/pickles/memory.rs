//! The memory of a conversion does not grow with the file: the program converts one larger than all it may allocate, and
//! tables that do not fit the heap go on elsewhere.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use brine::{
    file::{
        Dataset,
        pickle::{Choice, Options, convert},
    },
    limits::Limits,
};

use super::{fixtures, written};

const ROWS: usize = 96_000;
const DIMENSION: usize = 384;
/// What the program may allocate; stacks, the writer's batches and its row groups are in it.
const DATA_BYTES_MAX: usize = 112 << 20;

/// A frame of one column of lists of floats.
fn write(path: &Path) -> u64 {
    let row: Vec<u8> =
        (0..DIMENSION).flat_map(|at| [&b"G"[..], &(at as f64 / 64.0).to_be_bytes()].concat()).collect();
    let row = [b"](", row.as_slice(), b"e"].concat();
    let whole = written::frame(
        &written::block(&written::objects(ROWS, b"ROWS")),
        &written::range("1"),
        &ROWS.to_string(),
    );
    let at = whole.windows(4).position(|window| window == b"ROWS").unwrap();
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    file.write_all(&whole[..at]).unwrap();
    (0..ROWS).for_each(|_| file.write_all(&row).unwrap());
    file.write_all(&whole[at + 4..]).unwrap();
    file.flush().unwrap();
    path.metadata().unwrap().len()
}

#[test]
fn a_file_larger_than_the_memory_converts() {
    let limited = |arguments: &[&str]| {
        let mut command = Command::new("prlimit");
        command.arg(format!("--data={DATA_BYTES_MAX}")).args(arguments).stdin(Stdio::null());
        command
    };
    if !limited(&["true"]).output().is_ok_and(|output| output.status.success()) {
        eprintln!("NOT RUN: prlimit is missing, the bound on memory is not shown");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let pickle = folder.path().join("big.pkl");
    let size = write(&pickle);
    assert!(size > DATA_BYTES_MAX as u64 * 5 / 2, "{size} bytes");
    let (program, out) = (env!("CARGO_BIN_EXE_brine"), folder.path().join("out"));
    let mut command = limited(&[program, "convert", "--schema", "auto", "--vectors", "f32", "-o"]);
    let output = command.args([&out, &pickle]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(Dataset::open(out.join("big")).unwrap().rows(), ROWS as u64);
}

/// Fixtures that are converted twice.
const SOME: usize = 12;

/// The fingerprints of the tables, or what is wrong.
fn converted(path: &Path, table_heap_bytes: usize) -> Result<Vec<String>, String> {
    let out = tempfile::tempdir().unwrap();
    let limits = Limits { table_heap_bytes, ..Limits::default() };
    let options = Options { limits, choice: Choice::Inferred, ..Options::default() };
    let report = convert(path, out.path(), &options, &mut |_, _| ()).map_err(|error| error.to_string())?;
    Ok(report.tables.into_iter().map(|table| table.manifest.fingerprint).collect())
}

#[test]
fn tables_beyond_the_heap_make_the_same_data_set() {
    let good: Vec<_> = fixtures::all().into_iter().filter(|fixture| !fixture.is_bad()).collect();
    let mut read = 0;
    for fixture in good.iter().step_by((good.len() / SOME).max(1)) {
        let whole = converted(&fixture.path, Limits::default().table_heap_bytes);
        // Four nodes, one entry of the others.
        let split = converted(&fixture.path, 64);
        assert_eq!(whole, split, "{}", fixture.name);
        read += usize::from(whole.is_ok());
    }
    assert!(read > SOME / 2, "only {read} of {SOME}");
}
