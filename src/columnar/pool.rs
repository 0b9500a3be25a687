//! Buffers that are used again: fresh memory costs more in page faults than the decoding itself.

use std::sync::{Mutex, PoisonError};

use arrow_buffer::{Buffer, MutableBuffer};

/// Buffers kept for the next batches: one being filled, one being written, one whose last rows wait for the next.
const KEPT: usize = 3;

/// The buffers of one column.
#[derive(Debug, Default)]
pub(super) struct Pool {
    buffers: Mutex<Vec<MutableBuffer>>,
}

impl Pool {
    /// A buffer of `bytes`; whoever takes it writes all of it, so what an earlier batch left there is never read.
    pub(super) fn take(&self, bytes: usize) -> MutableBuffer {
        let pooled = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = pooled.unwrap_or_else(|| MutableBuffer::new(bytes));
        buffer.resize(bytes, 0);
        buffer
    }

    /// Takes a buffer back, unless somebody still reads it.
    pub(super) fn give(&self, buffer: Buffer) {
        if let Ok(buffer) = buffer.into_mutable() {
            let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
            if buffers.len() < KEPT {
                buffers.push(buffer);
            }
        }
    }
}
