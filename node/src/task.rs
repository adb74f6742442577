//! Work on a thread of libuv's pool.

use crate::messages::Messages;
use crate::outcome::{Found, to_json};
use crate::pickup;
use crate::receipts::Submitted;
use napi::bindgen_prelude::{Buffer, Either, Result, panic_to_error};
use napi::{Env, Task};
use pmtaemail::{EnvelopeIds, IdempotencyKey, PickupDirectory};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Renders one message.
pub struct RenderTask(pub Messages<'static>);

impl Task for RenderTask {
    type Output = Either<Vec<u8>, String>;
    type JsValue = Either<Buffer, String>;

    fn compute(&mut self) -> Result<Self::Output> {
        caught(|| match self.0.render()? {
            Ok(bytes) => Ok(Either::A(bytes)),
            Err(problems) => to_json(&Found::from(problems)).map(Either::B),
        })
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> Result<Self::JsValue> {
        Ok(match output {
            Either::A(bytes) => Either::A(bytes.into()),
            Either::B(problems) => Either::B(problems),
        })
    }
}

/// Submits messages.
pub struct SubmitTask {
    pub directory: Arc<PickupDirectory>,
    pub messages: Messages<'static>,
    pub key: Option<IdempotencyKey>,
}

impl Task for SubmitTask {
    type Output = (String, Vec<EnvelopeIds>);
    type JsValue = Submitted;

    fn compute(&mut self) -> Result<Self::Output> {
        caught(|| pickup::submit(&self.directory, &self.messages, self.key))
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> Result<Submitted> {
        Ok(output.into())
    }
}

/// A panic here would end the process.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panic_to_error(panic)))
}
