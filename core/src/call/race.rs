//! A race runs several futures at once and takes the first that ends.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Several futures that run at once.
pub(super) type Runs<'a, T> = Vec<Pin<Box<dyn Future<Output = T> + Send + 'a>>>;

/// Waits for the first future that ends, removes it, and returns its output.
pub(super) async fn first_of<T>(runs: &mut Runs<'_, T>) -> T {
    poll_fn(|cx| {
        for i in 0..runs.len() {
            if let Poll::Ready(ended) = runs[i].as_mut().poll(cx) {
                drop(runs.swap_remove(i));
                return Poll::Ready(ended);
            }
        }
        Poll::Pending
    })
    .await
}
