//! Tests of the decoder: arguments, runs of floats, frames, and every shorter prefix.

use super::*;

fn one(bytes: &[u8]) -> Instruction<'_> {
    let mut decoder = Decoder::new(bytes, &Limits::default());
    let instruction = decoder.next_instruction().unwrap();
    assert_eq!(decoder.end(), bytes.len() as u64, "all of {bytes:?} is used up");
    for length in 0..bytes.len() {
        let shorter = Decoder::new(&bytes[..length], &Limits::default()).next_instruction();
        let fits = matches!(instruction, Instruction::Floats { .. }) && length >= BINFLOAT_BYTES;
        assert_eq!(shorter.is_ok(), fits, "the first {length} bytes of {bytes:?}");
    }
    instruction
}

fn fault(bytes: &[u8]) -> ErrorKind {
    Decoder::new(bytes, &Limits::default()).next_instruction().unwrap_err().kind().clone()
}

#[test]
fn arguments_are_what_the_protocol_says() {
    assert_eq!(one(b"J\xff\xff\xff\xff"), Instruction::Int(-1));
    assert_eq!(one(b"M\x01\x02"), Instruction::Int(0x201));
    assert_eq!(one(b"\x8a\x00"), Instruction::Int(0));
    assert_eq!(one(b"\x8a\x02\x00\xff"), Instruction::Int(-256));
    assert_eq!(
        one(b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00"),
        Instruction::BigInt(&[255, 255, 255, 255, 255, 255, 255, 255, 0])
    );
    assert_eq!(one(b"\x8a\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00"), Instruction::Int(1));
    assert_eq!(one(b"I01\n"), Instruction::Bool(true));
    assert_eq!(one(b"L-12L\n"), Instruction::Int(-12));
    assert_eq!(one(b"F-1.5e3\n"), Instruction::Float(-1500.0));
    assert_eq!(one(b"X\x02\0\0\0ab"), Instruction::Text(b"ab"));
    assert_eq!(one(b"\x8e\x01\0\0\0\0\0\0\0z"), Instruction::Bytes(b"z"));
    assert_eq!(one(b"cos\nsystem\n"), Instruction::Global { module: b"os", name: b"system" });
    assert_eq!(one(b"j\x01\0\0\0"), Instruction::Get(1));
}

#[test]
fn what_no_writer_produces_is_refused() {
    assert!(matches!(fault(b"I1_0\n"), ErrorKind::MalformedText { .. }));
    assert!(matches!(fault(b"Fnan(1)\n"), ErrorKind::MalformedText { .. }));
    assert!(matches!(fault(b"g-1\n"), ErrorKind::MalformedText { .. }));
    assert!(matches!(fault(b"T\xff\xff\xff\xff"), ErrorKind::NegativeLength(-1)));
    assert!(matches!(fault(b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f"), ErrorKind::CutShort(_)));
    assert_eq!(fault(b"\xfe"), ErrorKind::UnknownOpcode(0xfe));
    assert!(matches!(
        fault(&[b"I".to_vec(), vec![b'9'; 5000], b"\n".to_vec()].concat()),
        ErrorKind::Limit(_)
    ));
}

#[test]
fn floats_in_a_row_are_one_instruction_that_ends_with_the_frame() {
    let floats: Vec<u8> = (0..20).flat_map(|i| [&b"G"[..], &f64::from(i).to_be_bytes()].concat()).collect();
    assert_eq!(one(&floats[..9]), Instruction::Float(0.0));
    assert_eq!(one(&floats), Instruction::Floats { count: 20, offset: 0 });
    let framed = [&b"\x95"[..], &27_u64.to_le_bytes(), &floats].concat();
    let mut decoder = Decoder::new(&framed, &Limits::default());
    assert_eq!(decoder.next_instruction().unwrap(), Instruction::Frame);
    assert_eq!(decoder.next_instruction().unwrap(), Instruction::Floats { count: 3, offset: 9 });
    assert_eq!(decoder.next_instruction().unwrap(), Instruction::Floats { count: 17, offset: 36 });
}

#[test]
fn frames_neither_nest_nor_cut_instructions() {
    let frame = |length: u64, body: &[u8]| [&b"\x95"[..], &length.to_le_bytes(), body].concat();
    let second = |bytes: &[u8]| {
        let mut decoder = Decoder::new(bytes, &Limits::default());
        decoder.next_instruction().unwrap();
        decoder.next_instruction().unwrap_err().kind().clone()
    };
    assert_eq!(second(&frame(3, b"J\0\0\0\0")), ErrorKind::CrossesFrame);
    assert_eq!(second(&frame(10, &frame(0, b"N"))), ErrorKind::CrossesFrame);
    assert_eq!(fault(&frame(9, b"N")), ErrorKind::FrameBeyondEnd { announced: 9, left: 1 });
}
