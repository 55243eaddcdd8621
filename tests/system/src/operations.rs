//! The deployment as an operator sees it.

use crate::{clients, deploy::STAGE, start::System};
use anyhow::Result;
use infra_gen::{aws::Target, ops::Operations};

impl System {
    /// What `infra-gen ops` does, on this deployment.
    ///
    /// # Errors
    /// When AWS cannot be asked.
    pub async fn operations(&self) -> Result<Operations> {
        let target = Target { deployment: self.deployment().to_owned(), stage: STAGE };
        let config = clients::sdk_config(self.endpoint()).await;
        Ok(Operations::open(&target, Some(&config)).await?)
    }
}
