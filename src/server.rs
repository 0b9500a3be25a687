//! The chassis that every gRPC face stands on.
