//! The registry's grade scales for a mapping: what passes is theirs to say, and a scale that is not there is named early.

use creditbank_protocol::pb::{GradeScale, Kind};
use creditbank_protocol::registry::RegistryKey;

use super::mapping::{MappingError, nearest};
use super::{ImportError, Mapping};
use crate::{Client, ClientError, RegistryItem};

/// Why the scales of a mapping are not known.
#[derive(Debug, thiserror::Error)]
pub enum ScalesError {
    /// The node.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The registry does not have one.
    #[error(transparent)]
    Mapping(#[from] MappingError),
}

impl From<MappingError> for ImportError {
    fn from(error: MappingError) -> Self {
        Self::Mapping(error)
    }
}

impl Mapping {
    /// The same mapping with the scales that it names, as the registry has them; all where a column says which.
    pub async fn informed(&self, client: &Client) -> Result<Self, ScalesError> {
        let all = || async {
            let items = client.registry_list(Kind::GradeScale, None).await?;
            items.iter().map(RegistryItem::decode::<GradeScale>).collect::<Result<Vec<_>, ClientError>>()
        };
        let Some(named) = self.named_scales() else {
            return Ok(self.clone().with_scales(all().await?));
        };
        let mut scales = Vec::new();
        for code in named {
            let Some(item) = client.registry_entry(&RegistryKey::GradeScale(code.to_owned())).await? else {
                let known = all().await?;
                let nearest = nearest(code, known.iter().map(|scale| scale.code.as_str())).map(str::to_owned);
                return Err(MappingError::Scale { code: code.to_owned(), nearest }.into());
            };
            scales.push(item.decode::<GradeScale>()?);
        }
        Ok(self.clone().with_scales(scales))
    }
}
