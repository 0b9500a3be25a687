//! Pickle bytes to an arena graph that borrows from them; nothing is ever executed.
