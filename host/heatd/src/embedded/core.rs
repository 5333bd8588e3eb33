//! What all connections of the broker share, and what it does by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rumqttc::QoS;
use tokio::time::interval;

use super::access::Client;
use super::hub::Hub;
use super::inlet::{Inlet, Passed};
use super::message::Message;

/// How often sessions and wills are looked through for those whose time is over.
const TICK: Duration = Duration::from_secs(1);

/// What all connections share.
pub(super) struct Core {
    pub(super) hub: Hub,
    pub(super) inlet: Inlet,
}

impl Core {
    /// Publishes a message that no connection stands for: a will.
    pub(super) async fn publish(&self, who: &Client, message: Arc<Message>) {
        if *who != Client::Own {
            let surely = message.qos != QoS::AtMostOnce;
            match self.inlet.pass(message.for_rules(), surely).await {
                Ok(Passed::Done) => {}
                Ok(Passed::Waiting(committed)) => {
                    if committed.await.is_err() {
                        return;
                    }
                }
                // heatd ends.
                Err(_) => return,
            }
        }
        // 0 is the number of no session.
        self.hub.publish(who, 0, &message);
    }

    /// Ends sessions whose time is over, and tells /metrics how much there is of everything.
    pub(super) async fn keep_in_order(&self) {
        let mut ticks = interval(TICK);
        loop {
            ticks.tick().await;
            for (who, will) in self.hub.tick(Instant::now()) {
                self.publish(&who, will).await;
            }
            self.inlet.metrics.broker_holds(&self.hub.figures());
        }
    }
}
