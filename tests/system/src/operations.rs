//! The deployment as an operator sees it.

use crate::{clients, deploy, start::System};
use anyhow::Result;
use infra_gen::ops::Operations;

impl System {
    /// What `infra-gen ops` does, on this deployment.
    ///
    /// # Errors
    /// When AWS cannot be asked.
    pub async fn operations(&self) -> Result<Operations> {
        let target = deploy::target(self.synth(), self.deployment());
        let config = clients::sdk_config(self.endpoint()).await;
        Ok(Operations::open(&target, Some(&config)).await?)
    }
}
