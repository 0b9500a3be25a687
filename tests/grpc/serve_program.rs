//! `brine serve` as a program: a pickle is converted once, the log has the lines of the published server, signals end it well.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::tables;

/// Serves `place`, pulls from it with each of `pulls`, ends it with `signal`; what it wrote on stderr.
fn served(place: &Path, pulls: &[&[&str]], signal: Signal) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brine"));
    let command = command.args(["serve", place.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    // Small messages, so that a small table has more than ten.
    let command = command.args(["--max-message", "65536"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let url = format!("http://{}", line.trim().strip_prefix("listening on ").unwrap());
    for pull in pulls {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brine"));
        let done = command.args(["pull", "--from", &url, "-q"]).args(*pull).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    said
}

#[test]
fn a_pickle_is_converted_once_for_each_content_and_the_log_tells_what_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let pickle = folder.path().join("jobs.pkl");
    fs::copy("data/recruit.pkl", &pickle).unwrap();
    let unknown = ["--checkpoint", "00000000-0000-4000-8000-000000000000", "--chunk-size", "100"];
    let said = served(&pickle, &[&unknown], Signal::INT);
    assert!(said.contains("jobs.pkl: converted to"), "{said}");
    for line in [
        "INFO [cli] - gRPC Server Started Successfully",
        "INFO [cli] - Listening on 127.0.0.1:",
        "INFO [cli] - Max workers: ",
        "INFO [cli] - Max message size: ",
        "INFO [cli] - Data file path: ",
        "WARN [service] - checkpoint \"00000000-0000-4000-8000-000000000000\" is unknown",
        "INFO [service] - Sent 10 chunks (",
        "INFO [service] - Total chunks sent: ",
        "INFO [service] - Total rows sent: 700",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let warning = said.lines().find(|line| line.contains("WARN")).unwrap();
    assert!(warning.contains("request_id=") && warning.contains("peer="), "{warning}");
    assert!(served(&pickle, &[], Signal::TERM).contains("jobs.pkl: converted before"));
    fs::copy("data/skill_embedding_dic.pkl", &pickle).unwrap();
    let said = served(&pickle, &[&["--domain", "skill_dic"]], Signal::TERM);
    assert!(said.contains("jobs.pkl: converted to") && said.contains("(skill_embedding_dic, "), "{said}");
}

#[test]
fn what_cannot_be_served_is_said_before_anything_is_listened_on() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brine"));
        let done = command.arg("serve").args(arguments).args(["--listen", "127.0.0.1:0"]).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let empty = folder.path().to_str().unwrap().to_owned();
    let missing = folder.path().join("nope.pkl").to_str().unwrap().to_owned();
    let (code, said) = serve(&[&empty]);
    assert!(code == Some(3) && said.contains("no data set here"), "{code:?} {said}");
    let (code, said) = serve(&[&missing]);
    assert!(code == Some(3) && said.contains("no such file or folder"), "{code:?} {said}");
    let damaged = tables::write(folder.path(), "recruit", 10);
    let arrow = fs::OpenOptions::new().write(true).open(damaged.with_extension("arrow")).unwrap();
    arrow.set_len(100).unwrap();
    for place in [damaged.clone(), damaged.with_extension("arrow")] {
        let (code, said) = serve(&[place.to_str().unwrap()]);
        assert!(code == Some(3) && said.contains("is damaged: 100 bytes long"), "{code:?} {said}");
    }
    let (code, said) = serve(&[&empty, "--max-message", "0"]);
    assert!(code == Some(2) && said.contains("--max-message"), "{code:?} {said}");
}
