//! One thread makes the next item while another takes the last one.

use std::sync::mpsc;

/// Hands the items of `make` to `take`, one by one; the next is made meanwhile. An error of `take` ends both.
pub fn ahead<T: Send, E>(
    make: impl Iterator<Item = T> + Send,
    take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(0);
        scope.spawn(move || {
            for item in make {
                // Nobody takes it any more: the other side has failed.
                if sender.send(item).is_err() {
                    return;
                }
            }
        });
        receiver.into_iter().try_for_each(take)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_order_and_an_error_ends_the_making() {
        let mut taken = Vec::new();
        let all: Result<(), ()> = ahead(0..100, |item| {
            taken.push(item);
            Ok(())
        });
        assert_eq!((all, taken), (Ok(()), (0..100).collect::<Vec<_>>()));
        assert_eq!(ahead(0.., |item| if item < 5 { Ok(()) } else { Err(item) }), Err(5));
    }
}
