//! Somebody's own RPC, found in the descriptors of their `.proto` file: what its requests are planned from, and what its
//! answers say.

mod constant;
mod place;

use arrow_schema::Schema;
use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};

use super::{ChunkPlan, Error};
use crate::schema::message_map::{Literal, MessageMap};

pub use constant::Facts;

/// An RPC that takes a table.
#[derive(Debug, Clone)]
pub struct Contract {
    method: MethodDescriptor,
}

/// How a table travels in the requests of an RPC.
#[derive(Debug, Clone)]
pub struct Planned {
    /// How chunks are encoded.
    pub plan: ChunkPlan,
    /// The first message of a stream, before any rows.
    pub first: Option<Bytes>,
    /// Where rows stand in the request: names of fields joined by dots, `.` for the request itself.
    pub rows: String,
    /// Full name of the message of a row.
    pub row: String,
    /// A message carries many rows, else one.
    pub repeated: bool,
}

impl Contract {
    /// The RPC called `package.Service/Method` in an encoded `FileDescriptorSet`.
    pub fn find(descriptors: &[u8], rpc: &str) -> Result<Self, Error> {
        let pool =
            DescriptorPool::decode(descriptors).map_err(|error| Error::Descriptors(Box::new(error)))?;
        let methods = || pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let Some(method) = methods().find(|method| name(method) == rpc.trim_start_matches('/')) else {
            let known = methods().map(|method| name(&method)).collect();
            return Err(Error::NoRpc { rpc: rpc.to_owned(), known });
        };
        if method.is_server_streaming() {
            return Err(Error::StreamOfAnswers { rpc: rpc.to_owned() });
        }
        Ok(Self { method })
    }

    /// `package.Service/Method`.
    pub fn name(&self) -> String {
        name(&self.method)
    }

    /// Whether one call takes a stream of requests, as opposed to one.
    pub fn is_client_streaming(&self) -> bool {
        self.method.is_client_streaming()
    }

    /// Plans a table of `schema` by `map`.
    pub fn plan(&self, schema: &Schema, map: &MessageMap, facts: &Facts) -> Result<Planned, Error> {
        let request = self.method.input();
        let way = place::find(&request, schema, map)?;
        let wrap = way.wrap(&request, map, facts)?;
        let repeated = wrap.repeated;
        let plan = ChunkPlan::new(&way.row, wrap, schema, map)?;
        let (rows, row) = (way.path(), way.row.full_name().to_owned());
        Ok(Planned { plan, first: self.first(map, facts)?, rows, row, repeated })
    }

    fn first(&self, map: &MessageMap, facts: &Facts) -> Result<Option<Bytes>, Error> {
        let Some(first) = &map.first else { return Ok(None) };
        let file = || map.file.clone();
        if !self.is_client_streaming() {
            let what =
                "a call has no first message: put what stands beside the rows into `[every]`".to_owned();
            return Err(Error::Map { file: file(), line: first.line, what });
        }
        let Literal::Table(entries) = &first.value else { return Ok(None) };
        let message = constant::Speaker { file: &map.file, facts }.message(&self.method.input(), entries)?;
        constant::check_required(&message, None)?;
        Ok(Some(message.encode_to_vec().into()))
    }

    /// An answer as JSON, in protobuf's own mapping.
    pub fn answer(&self, bytes: &[u8]) -> Result<serde_json::Value, Error> {
        let output = self.method.output();
        let message = output.full_name().to_owned();
        let answer =
            DynamicMessage::decode(output, bytes).map_err(|source| Error::Answer { message, source })?;
        Ok(serde_json::to_value(answer)?)
    }
}

fn name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}
