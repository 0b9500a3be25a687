//! What is fuzzed: one function for each target, in `targets`. `tests/fuzz.rs` runs the same functions over the corpus.

pub mod targets;

/// For readers that turn the panics of a library into errors: libFuzzer's hook would abort at every panic, caught or not. One
/// that nobody catches still ends the run.
pub fn pass_over_caught_panics() {
    let abort = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let of_library = panic.location().is_some_and(|place| place.file().contains("/registry/"));
        if !of_library {
            abort(panic);
        }
    }));
}
