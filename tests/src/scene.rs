//! Two universities, and a learner whom both know.

use creditbank_client::Client;
use creditbank_fixtures::{acceptance, proposal};
use creditbank_protocol::Alias;
use creditbank_protocol::pb::{AgreementAcceptance, AgreementProposal, AgreementTerms, Kind, QualificationDefinition};
use creditbank_rpc::Reason;

use crate::acts::{alias, public, submit};
use crate::{TestNode, University};

/// A node with two universities, and a learner whom both know.
pub struct Scene {
    /// The node; it serves as long as this stands.
    pub node: TestNode,
    /// A client that may read what is public.
    pub client: Client,
    /// Institution 1.
    pub one: University,
    /// Institution 2.
    pub two: University,
    /// The learner's alias at institution 1.
    pub own: Alias,
    /// The same learner's alias at institution 2.
    pub other: Alias,
}

impl Scene {
    /// Nothing is agreed or defined yet.
    pub async fn new() -> Self {
        let node = TestNode::start().await;
        let (one, two) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
        let client = node.client(None).await;
        let (own, other) = (alias(&node, &one, 7).await, alias(&node, &two, 7).await);
        Self { node, client, one, two, own, other }
    }

    /// With definitions, each published by its institution.
    pub async fn with(definitions: &[QualificationDefinition]) -> Self {
        let scene = Self::new().await;
        for definition in definitions {
            scene.publish(definition).await;
        }
        scene
    }

    /// Publishes a definition of one of the two.
    pub async fn publish(&self, definition: &QualificationDefinition) {
        let by = if definition.institution == 1 { &self.one } else { &self.two };
        let record = public(Kind::QualificationDefinition, definition);
        submit(&self.client, by, &[record], Vec::new()).await.expect("published");
    }

    /// An agreement, proposed by the first and accepted by the second.
    pub async fn agree(&self, terms: &AgreementTerms) -> Result<(), Reason> {
        let proposal = AgreementProposal { institution: 1, ..proposal(terms) };
        let proposal = public(Kind::AgreementProposal, &proposal);
        submit(&self.client, &self.one, &[proposal], Vec::new()).await?;
        let acceptance = AgreementAcceptance { institution: 2, ..acceptance(terms) };
        let acceptance = public(Kind::AgreementAcceptance, &acceptance);
        submit(&self.client, &self.two, &[acceptance], Vec::new()).await?;
        Ok(())
    }
}
