//! What every call goes through, in order. The order is the design: each layer may rely on those above it, and answers of a
//! layer are seen by those above it only.

use std::{collections::HashSet, sync::Arc};

use axum::{Router, middleware::from_fn_with_state};
use tonic::service::Routes;
use tower::ServiceBuilder;

use super::{Config, tokens::Tokens};

mod account;
mod authentication;
mod body;
mod deadline;
mod identity;
mod panics;
mod rate;
mod shed;
mod stall;
mod written;

/// Puts the layers around `routes`.
pub(super) fn around(
    routes: Routes,
    config: &Config,
    methods: HashSet<String>,
    tokens: Option<Arc<Tokens>>,
) -> Router {
    let layers = ServiceBuilder::new()
        // The end of a response comes when the rest is written. Above whatever may end one, so that no end slips by.
        .layer(axum::middleware::from_fn(written::wait))
        // A name for the call, taken or made, in its span and its response: what everything below logs is found by it.
        .layer(axum::middleware::from_fn(identity::name))
        // Counts and times every call and logs those that fail; above all that may answer, so that it sees every answer.
        .layer(from_fn_with_state(account::Accounts::new(methods), account::account))
        // A panic of a handler or of a body is INTERNAL for its caller, and nothing for the others.
        .layer(axum::middleware::from_fn(panics::catch))
        // The client's deadline or the server's, whichever ends first, until the last message and not only the first.
        .layer(from_fn_with_state(config.deadline_max, deadline::keep))
        // Who may call. Before anything is spent on the call, and before its body is read.
        .layer(from_fn_with_state(authentication::Guard::new(tokens), authentication::authenticate))
        // How often one peer may call; it is turned away before it takes a place from others.
        .layer(from_fn_with_state(rate::Rate::new(config.calls_per_second), rate::limit))
        // How many calls may run. The place is taken before the handler starts and kept until its response has ended.
        .layer(from_fn_with_state(shed::Places::new(config.calls_max), shed::admit))
        // Notes when a response waits for its reader, so that the connection can end it: innermost, to see what the service
        // hands out when it is asked.
        .layer(axum::middleware::from_fn(stall::watch));
    routes.prepare().into_axum_router().layer(layers)
}
