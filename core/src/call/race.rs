//! Several futures at once, of which the first to end is wanted.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Several futures, of which the first to end is wanted.
pub(super) type Runs<'a, T> = Vec<Pin<Box<dyn Future<Output = T> + Send + 'a>>>;

/// The first of these that ends, which is taken out.
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
