//! Transcripts: whoever has the trust file can check one without the node, and nothing in it can be changed.

use creditbank_fixtures::text;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::pb::{Action, Basis, Effect, EffectReason, Kind, StatusPart, Transcript};
use creditbank_protocol::transcript::{Report, TranscriptRecord, cut, open_file, verify, write_file};
use creditbank_protocol::{Alias, Digest, InstitutionId, Standing, Trust};
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::log_service_client::LogServiceClient;
use creditbank_rpc::v1::{GetStatusProofRequest, InstitutionAlias};
use creditbank_tests::acts::{by, effect, group, reference, submit};
use creditbank_tests::chain::now_ms;
use creditbank_tests::university::{credit_record, record};
use creditbank_tests::{Chain, TestNode, University};

/// Two universities, a learner with three records at the first one and one at the second.
async fn scene() -> (TestNode, University, Alias) {
    let node = TestNode::start().await;
    let (first, second) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let identities = || {
        vec![creditbank_rpc::v1::TypedIdentity {
            r#type: creditbank_rpc::v1::IdentityType::National.into(),
            scope: "FR".to_owned(),
            value: "A1".to_owned(),
        }]
    };
    let mut first_alias = None;
    for university in [&first, &second] {
        let client = university.client(&node).await;
        let person = creditbank_rpc::v1::Person { identities: identities() };
        let alias = client.open_accounts(university.institution, vec![person]).await.expect("an alias")[0];
        first_alias.get_or_insert(alias);
        let mut chain = Chain::of(&client, university).await;
        chain.issue(&client, university, &[credit_record(alias, "A-1")]).await;
        if university.institution == 1 {
            let result = creditbank_protocol::pb::Result {
                learner: alias.to_vec(),
                course: Some(creditbank_protocol::pb::Course { code: "B".to_owned(), titles: vec![text("B")] }),
                status: creditbank_protocol::pb::ResultStatus::Withdrawn.into(),
                ..Default::default()
            };
            let others = university.aliases(&node, 0..4).await;
            let mut records: Vec<_> = others.iter().map(|other| credit_record(*other, "A-1")).collect();
            records.extend([record(Kind::Result, &result, 1), credit_record(alias, "A-2")]);
            chain.issue(&client, university, &records).await;
        }
    }
    (node, first, first_alias.expect("an alias"))
}

fn by_alias(alias: Alias) -> Learner {
    Learner::Alias(InstitutionAlias { institution: 1, alias: alias.to_vec() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_is_checked_offline() {
    let (node, university, alias) = scene().await;
    let (own, _) = university.client(&node).await.transcript(by_alias(alias)).await.expect("its own records");
    let operator = node.operator().await;
    let account = operator.records(by_alias(alias)).await.expect("an answer").1.expect("the account");
    let (all, _) = operator.transcript(Learner::Account(account.to_vec())).await.expect("all records");
    let trust_text = node.trust_text();
    drop(node.stop().await);
    let trusted = Trust::parse(&trust_text).expect("a trust file");
    let own: Report = verify(&own, &trusted, now_ms()).expect("authentic");
    assert_eq!((own.records.len(), own.statement.complete_for), (3, Some(InstitutionId(1))));
    assert_eq!((own.statement.holder_key, own.statement.identity), (None, None));
    assert!(own.institutions.iter().all(|institution| institution.trusted));
    let report = verify(&all, &trusted, now_ms()).expect("authentic");
    assert_eq!((report.records.len(), report.statement.complete_for, report.institutions.len()), (4, None, 2));
    // Whom the verifier has not named is authentic all the same, and not trusted.
    let narrow = format!("institutions = [2]\n{trust_text}");
    let report = verify(&all, &Trust::parse(&narrow).expect("a trust file"), now_ms()).expect("authentic");
    let of: Vec<_> = report.institutions.iter().map(|institution| (institution.id.0, institution.trusted)).collect();
    assert_eq!(of, [(1, false), (2, true)]);
    for record in &report.records {
        let expected = if record.unit.institution.0 == 2 { Standing::Authentic } else { Standing::IssuerNotTrusted };
        assert_eq!(record.standing(), expected, "{}", record.place);
    }
    assert!(!report.is_valid());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changed_missing_or_added_byte_fails() {
    let (node, university, alias) = scene().await;
    let (file, _) = university.client(&node).await.transcript(by_alias(alias)).await.expect("a transcript");
    let trusted = node.trust();
    verify(&file, &trusted, now_ms()).expect("authentic");
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(verify(&changed, &trusted, now_ms()).is_err(), "byte {at} was changed");
        assert!(verify(&file[..at], &trusted, now_ms()).is_err(), "cut to {at} bytes");
    }
    for at in [0, 4, 36, file.len() / 2, file.len()] {
        let mut longer = file.clone();
        longer.insert(at, 0);
        assert!(verify(&longer, &trusted, now_ms()).is_err(), "a byte was added at {at}");
    }
}

type Forgery = fn(&mut creditbank_protocol::pb::Transcript);

/// The checksum finds accidents; what finds forgers is behind it. Here the checksum is made right again.
#[tokio::test(flavor = "multi_thread")]
async fn a_forger_with_the_right_checksum_fails() {
    let (node, university, alias) = scene().await;
    let (file, _) = university.client(&node).await.transcript(by_alias(alias)).await.expect("a transcript");
    let trusted = node.trust();
    let good = open_file(&file).expect("a transcript file");
    let again = write_file(&good).expect("a file");
    assert_eq!(again, file, "there is one spelling");
    let forgeries: [(&str, Forgery); 10] = [
        ("a record twice", |file| file.records.push(file.records[0].clone())),
        ("a record in another place", |file| file.records[0].place.as_mut().expect("a place").index ^= 1),
        ("records in another order", |file| file.records.reverse()),
        ("another grade", |file| {
            let body = &mut file.records[0].body;
            let at = body.len() - 1;
            body[at] ^= 1;
        }),
        ("another seed", |file| file.records[0].seed[0] ^= 1),
        ("a record less", |file| drop(file.records.pop())),
        ("another checkpoint", |file| {
            let checkpoint = &mut file.status.as_mut().expect("a status part").checkpoint;
            let at = checkpoint.len() - 10;
            checkpoint[at] ^= 1;
        }),
        ("no statement", |file| file.statement.clear()),
        ("no seals", |file| file.base.as_mut().expect("a base").seals.clear()),
        ("no status", |file| file.status = None),
    ];
    for (what, forge) in forgeries {
        let mut forged = good.clone();
        forge(&mut forged);
        if let Ok(file) = write_file(&forged) {
            verify(&file, &trusted, now_ms()).expect_err(what);
        }
    }
    // To leave a record out is the learner's right. Then nobody says that these are all.
    let report = verify(&file, &trusted, now_ms()).expect("authentic");
    assert!(report.statement.is_whole);
    let keep = report.records[..2].iter().map(|record| record.place).collect();
    let left = cut(&file, &keep, &trusted, now_ms()).expect("it can be cut");
    let report = verify(&left, &trusted, now_ms()).expect("authentic");
    assert_eq!((report.records.len(), report.statement.is_whole), (2, false));
    let (again, _) = university.client(&node).await.transcript(by_alias(alias)).await.expect("a transcript");
    assert_eq!(again, file, "the same request makes the same bytes");
    let other = TestNode::start().await;
    assert!(verify(&file, &other.trust(), now_ms()).is_err(), "another log's trust file");
}

/// Goal: a transcript carries the pieces that it needs, and not what its blocks show besides: 40 records of 8 blocks,
/// or of 20, stay small though every block takes back 500 records of others, and some of these too.
#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_of_large_blocks_is_small() {
    const RECORDS: usize = 40;
    const EFFECTS: u32 = 500;
    let node = TestNode::start().await;
    // How many records of a block the next one takes back; those of the last one another block of 500 effects.
    for (number, blocks, marked, most) in [(1, 8, 0, 60_000), (2, 8, 1, 63_000), (3, 8, 5, 85_000), (4, 20, 1, 100_000)]
    {
        let university = University::admit(&node, number).await;
        let client = university.client(&node).await;
        let aliases = university.aliases(&node, 0..=u64::from(EFFECTS)).await;
        let (learner, others) = (aliases[0], &aliases[1..]);
        let mut chain = Chain::of(&client, &university).await;
        let mut before = Vec::new();
        for block in 0..blocks + marked.min(1) {
            let wrong: Vec<_> = others.iter().map(|other| credit_record(*other, &format!("W-{block}"))).collect();
            let receipt = chain.issue(&client, &university, &wrong).await;
            let wrong = (0..EFFECTS).zip(&wrong).map(|(index, record)| reference(&receipt, index, record));
            let revoked = wrong
                .chain(std::mem::take(&mut before))
                .map(|record| Effect { reason: EffectReason::Error.into(), ..effect(Action::Revoke, &record) });
            let groups = vec![group(by(Basis::Issuer), revoked.collect())];
            let courses = (block..RECORDS).step_by(blocks).take(if block < blocks { RECORDS } else { 0 });
            let records: Vec<_> = courses.map(|course| credit_record(learner, &format!("C-{course}"))).collect();
            let request = chain.block(&university, &records, groups);
            let receipt = client.submit(request.clone()).await.expect("the block is sealed");
            chain.advance(&request);
            before =
                (0..).zip(&records).take(marked).map(|(index, record)| reference(&receipt, index, record)).collect();
        }
        let by_alias = InstitutionAlias { institution: u64::from(number), alias: learner.to_vec() };
        let begun = std::time::Instant::now();
        let (file, _) = client.transcript(Learner::Alias(by_alias)).await.expect("a transcript");
        let made = begun.elapsed();
        let begun = std::time::Instant::now();
        let report = verify(&file, &node.trust(), now_ms()).expect("authentic");
        let revoked = report.records.iter().filter(|record| record.standing() == Standing::Revoked).count();
        let verified = begun.elapsed();
        println!("{blocks} blocks, {revoked} marks: {} bytes, made in {made:?}, verified in {verified:?}", file.len());
        assert_eq!((report.records.len(), revoked), (RECORDS, blocks * marked));
        assert!(file.len() < most, "{} bytes, at most {most} are expected", file.len());
    }
}

/// Goal: a transcript that was shown before a record was taken back says so once it is refreshed, and its statement is
/// the same. What is refreshed can be refreshed again, and cannot be turned back.
#[tokio::test(flavor = "multi_thread")]
async fn the_status_of_a_transcript_is_refreshed() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let client = university.client(&node).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let mut chain = Chain::of(&client, &university).await;
    let records = [credit_record(alias, "A-1"), credit_record(alias, "A-2")];
    let receipt = chain.issue(&client, &university, &records).await;
    let (old, before) = client.transcript(by_alias(alias)).await.expect("a transcript");
    let standings = |report: &Report| report.records.iter().map(TranscriptRecord::standing).collect::<Vec<_>>();
    assert_eq!(standings(&before), [Standing::Authentic; 2]);

    let revoked =
        Effect { reason: EffectReason::Error.into(), ..effect(Action::Revoke, &reference(&receipt, 1, &records[1])) };
    submit(&client, &university, &[], vec![group(by(Basis::Issuer), vec![revoked])]).await.expect("sealed");
    // Without the node the old file says what was so at its time. Anybody may ask for more.
    let anybody = node.client(None).await;
    let same = verify(&old, &node.trust(), now_ms()).expect("authentic");
    let new = anybody.refresh(&old, &same).await.expect("a newer status");
    assert_eq!(standings(&new.report), [Standing::Authentic, Standing::Revoked]);
    assert!(new.report.size > before.size && new.report.statement.size == before.size);
    let (parts, newer) = (open_file(&old).expect("a file"), open_file(&new.file).expect("a file"));
    assert_eq!((&parts.statement, &parts.base, &parts.records), (&newer.statement, &newer.base, &newer.records));
    let again = anybody.refresh(&new.file, &new.report).await.expect("the newest status");
    assert_eq!(again.file, new.file, "nothing has happened since");
    // The old status under the new checkpoint proves nothing.
    let (old_status, new_status) = (parts.status.expect("a status part"), newer.status.clone().expect("a status part"));
    for turned in [
        StatusPart { statuses: old_status.statuses.clone(), ..new_status.clone() },
        StatusPart { proofs: old_status.proofs.clone(), ..new_status.clone() },
        StatusPart { checkpoint: old_status.checkpoint.clone(), ..new_status.clone() },
        StatusPart { checkpoint: new_status.checkpoint.clone(), ..old_status },
    ] {
        let file = write_file(&Transcript { status: Some(turned), ..newer.clone() }).expect("a file");
        verify(&file, &node.trust(), now_ms()).expect_err("the parts are of two times");
    }
    // A node that was set back answers no one who has seen more.
    let other = TestNode::start().await;
    other.client(None).await.refresh(&old, &before).await.expect_err("another log");
}

/// Goal: anybody gets a proof of what stands under any id, also where there is no such record, and not for more ids
/// than one answer holds.
#[tokio::test(flavor = "multi_thread")]
async fn anybody_gets_status_proofs() {
    use creditbank_protocol::map::{self, MapProof, MapTags};
    let node = TestNode::start().await;
    let mut log = LogServiceClient::connect(node.url()).await.expect("a node");
    let ask = |status_ids: Vec<Vec<u8>>| GetStatusProofRequest {
        status_ids,
        key_ids: vec![vec![9; 16]],
        institutions: vec![77],
        ..GetStatusProofRequest::default()
    };
    let answer = log.get_status_proof(ask(vec![vec![5; 32], vec![3; 32], vec![5; 32]])).await.expect("an answer");
    let part = answer.into_inner().status.expect("a status part");
    let ids: Vec<_> = part.statuses.iter().map(|proof| (proof.status_id[0], proof.marks.len())).collect();
    assert_eq!(ids, [(3, 0), (5, 0)], "each once, in order, without marks");
    assert_eq!(part.consistency, Vec::<Vec<u8>>::new(), "none was asked for");
    // What nobody has registered is left out, and the seal alone proves that there are no marks.
    let proofs = part.proofs.expect("proofs");
    assert_eq!((proofs.seals.len(), proofs.registry.len(), proofs.blocks.len()), (1, 0, 0));
    let Ok(Entry::Seal(seal)) = Entry::parse(&proofs.seals[0].entry) else { panic!("a seal") };
    for status in &part.statuses {
        assert_eq!(status.proof, None, "a tree without leaves");
        let (id, proof) =
            (Digest::from_slice(&status.status_id).expect("an id"), MapProof { siblings: vec![], terminal: None });
        assert_eq!(map::verify(MapTags::STATUS, &seal.seal().status_root, &id, &proof), Ok(None));
    }
    for wrong in [vec![vec![5; 31]], vec![vec![5; 32]; 10_001]] {
        let refused = log.get_status_proof(ask(wrong)).await.expect_err("too short, too many");
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    }
    let beyond = GetStatusProofRequest { base_size: 1 << 40, ..ask(Vec::new()) };
    let refused = log.get_status_proof(beyond).await.expect_err("no such tree");
    assert_eq!(refused.code(), tonic::Code::OutOfRange);
}
