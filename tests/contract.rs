//! The published contract, as it was first: everything it names is still there, with the same numbers and types.
//!
//! Peers hold code that was generated from the original file. A message that they know may gain fields of numbers from 100
//! up and nothing else; a oneof may gain nothing at all, because an old peer takes an unknown member for an unset one.

use std::path::Path;

use prost_reflect::{Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, MessageDescriptor};

/// What a field is to those who read and write it.
fn shape(field: &FieldDescriptor) -> (String, Cardinality, Option<String>, bool) {
    let oneof = field.containing_oneof().map(|oneof| oneof.name().to_owned());
    (format!("{:?}", field.kind()), field.cardinality(), oneof, field.is_packed())
}

fn original() -> DescriptorPool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/contract");
    let files = protox::compile(["embedding_stream.proto"], [folder]).unwrap();
    DescriptorPool::from_file_descriptor_set(files).unwrap()
}

fn present() -> DescriptorPool {
    DescriptorPool::decode(brine::proto::DESCRIPTORS).unwrap()
}

fn same_fields(then: &MessageDescriptor, now: &MessageDescriptor) {
    for field in then.fields() {
        let found = now.get_field(field.number()).unwrap_or_else(|| panic!("{} is gone", field.full_name()));
        assert_eq!((field.name(), shape(&field)), (found.name(), shape(&found)), "{}", field.full_name());
    }
    for field in now.fields().filter(|field| then.get_field(field.number()).is_none()) {
        assert!(field.number() >= 100, "{} is new and below 100", field.full_name());
        assert!(field.containing_oneof().is_none(), "{} is a new member of a oneof", field.full_name());
    }
}

fn same_values(then: &EnumDescriptor, now: &EnumDescriptor) {
    for value in then.values() {
        assert_eq!(
            now.get_value(value.number()).map(|now| now.name().to_owned()),
            Some(value.name().to_owned())
        );
    }
}

#[test]
fn messages_keep_their_fields() {
    let (original, present) = (original(), present());
    let mut messages = 0;
    for then in original.all_messages() {
        same_fields(&then, &present.get_message_by_name(then.full_name()).unwrap());
        messages += 1;
    }
    for then in original.all_enums() {
        same_values(&then, &present.get_enum_by_name(then.full_name()).unwrap());
    }
    assert_eq!(messages, 11);
}

#[test]
fn calls_keep_their_shape() {
    let present = present();
    for then in original().services() {
        let now = present.get_service_by_name(then.full_name()).unwrap();
        let shapes = |service: &prost_reflect::ServiceDescriptor| {
            let shape = |method: prost_reflect::MethodDescriptor| {
                let names = [method.full_name().to_owned(), method.input().full_name().to_owned()];
                let streaming = (method.is_client_streaming(), method.is_server_streaming());
                (names, method.output().full_name().to_owned(), streaming)
            };
            service.methods().map(shape).collect::<Vec<_>>()
        };
        assert_eq!(shapes(&then), shapes(&now));
    }
}
