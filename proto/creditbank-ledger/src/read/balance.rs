//! A learner's balance: credit by unit, level, field and status. What was converted stands in both units, as what it is in each.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use creditbank_protocol::canonical::CanonicalError;
use creditbank_protocol::dates::Day;
use creditbank_protocol::pb::{self, Kind, Level};
use creditbank_protocol::record::{exemption_expires, has_expired, is_embargoed};
use creditbank_protocol::{Part, Standing};
use creditbank_rules::admission::{SpentRoots, Used, is_contested, is_redeemed};
use creditbank_rules::{View, ViewError};

/// Credit of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Of which unit.
    pub unit: String,
    /// `None`: not stated.
    pub level: Option<Level>,
    /// Empty: not stated.
    pub field: String,
    /// Whether it can be spent: authentic credit can, redeemed credit was.
    pub standing: Standing,
    /// Whether it cannot be spent for another reason: its course counts already by other credits.
    pub surplus: bool,
    /// Sum, in ten-thousandths of the unit.
    pub amount_e4: u64,
    /// In how many records or results of records.
    pub records: u32,
}

/// Unit, framework and level, field, standing, surplus: what can be spent comes first.
type Group = (String, Option<(String, String)>, String, Reverse<Standing>, bool);

/// The balance of a learner's records on a day.
pub fn balance(view: &impl View, records: &[Used], today: Day) -> Result<Vec<Line>, ViewError> {
    let mut groups: BTreeMap<Group, (u64, u32)> = BTreeMap::new();
    for used in records {
        let mut roots = SpentRoots::new(view, &used.facts.account, today);
        for (position, credit) in (0u32..).zip(credits(used)?) {
            let part = if used.record.kind() == Kind::Credit { Part::Whole } else { Part::Result(position) };
            let standing = standing(view, used, part, &mut roots, credit.expires.as_ref(), today)?;
            let surplus = standing == Standing::Authentic && roots.are_surplus(used, part)?;
            let amount = credit.amount.unwrap_or_default();
            let level = credit.level.map(|level| (level.framework, level.level));
            let group = groups.entry((amount.unit, level, credit.field, Reverse(standing), surplus)).or_default();
            group.0 = group.0.saturating_add(amount.e4);
            group.1 = group.1.saturating_add(1);
        }
    }
    let line = |((unit, level, field, Reverse(standing), surplus), (amount_e4, records)): (Group, (u64, u32))| {
        let level = level.map(|(framework, level)| Level { framework, level });
        Line { unit, level, field, standing, surplus, amount_e4, records }
    };
    Ok(groups.into_iter().map(line).collect())
}

/// The credit of a record: of a Credit one, of a Conversion or a recognition its results.
fn credits(used: &Used) -> Result<Vec<pb::ConvertedCredit>, ViewError> {
    // It was read before it was admitted.
    let unread = |error: CanonicalError| ViewError::Damaged(format!("record {}: {error}", used.place));
    Ok(match used.record.kind() {
        Kind::Credit => {
            let read: pb::Credit = used.record.read().map_err(unread)?;
            vec![pb::ConvertedCredit {
                amount: read.amount,
                level: read.level,
                field: read.field,
                expires: read.expires,
                ..Default::default()
            }]
        }
        Kind::Conversion => used.record.read::<pb::Conversion>().map_err(unread)?.results,
        Kind::QualificationRecognition => {
            let read: pb::QualificationRecognition = used.record.read().map_err(unread)?;
            let ends = |exemption: &pb::ConvertedCredit| exemption_expires(exemption, &read);
            let each = read.exemptions.iter().map(|one| pb::ConvertedCredit { expires: ends(one), ..one.clone() });
            each.collect()
        }
        _ => Vec::new(),
    })
}

fn standing<V: View>(
    view: &V,
    used: &Used,
    part: Part,
    roots: &mut SpentRoots<'_, V>,
    expires: Option<&pb::Date>,
    today: Day,
) -> Result<Standing, ViewError> {
    Standing::in_ledger(&used.facts.marks, |standing| {
        Ok(match standing {
            Standing::Contested => Some(is_contested(view, used)?),
            Standing::Redeemed => Some(is_redeemed(view, used)? || roots.are_spent(used, part)?),
            Standing::NotVisible => Some(is_embargoed(used.visible_from().as_ref(), today)),
            Standing::Expired => Some(has_expired(expires, today)),
            _ => None,
        })
    })
}
