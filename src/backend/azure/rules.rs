//! The rules of a copy that can be checked before ARM is asked for it.
//!
//! Each refusal names the rule and what to do. Where the outcome is not certain nothing is refused
//! here: ARM has the last word anyway.

use super::Azure;
use super::client::Expand;
use super::id::{ArmId, PointId};
use super::map::Home;
use super::read::Found;
use crate::model::{Error, RestorePoint, State, View};

/// A copy that may be asked for.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) source: Found,
    pub(super) destination: Home,
}

impl Azure {
    /// Checks a copy whose target does not exist yet.
    ///
    /// # Errors
    /// NOT_FOUND, FAILED_PRECONDITION or ABORTED.
    pub(super) async fn plan_copy(&self, from: &PointId, to: &PointId) -> Result<Plan, Error> {
        let source = self.read_point(from, View::Basic).await;
        let source = source.map_err(|error| error.in_field("source"))?;
        check_source(&source)?;

        let (destination, wire, _) = self
            .read_collection(&to.collection, Expand::RestorePoints)
            .await
            .map_err(|error| error.in_field("destination"))?;
        self.check_pair(&source, &destination)?;

        let points = wire.properties.restore_points.ok_or_else(|| {
            self.arm.invalid_response("a collection without the points asked for")
        })?;
        let copies = points
            .iter()
            .filter(|point| point.copied_from().is_some())
            .map(|point| self.map_point(&destination, point, View::Basic))
            .collect::<Result<Vec<_>, _>>()?;
        check_not_copied(&source.point, &copies)?;
        let newest = self.newest(&destination, &copies).await?;
        check_turn(&source.point, &copies, newest.as_ref())?;
        Ok(Plan { source, destination })
    }

    fn check_pair(&self, source: &Found, destination: &Home) -> Result<(), Error> {
        let name = destination.id.collection_name(&self.arm.backend).to_string();
        let home = source.home.id.collection_name(&self.arm.backend);
        let takes = ArmId::parse(&destination.source, &self.arm.subscription);
        let fits = matches!(takes, ArmId::Collection(id) if id.key() == source.home.id.key());
        if !fits {
            return Err(Error::FailedPrecondition {
                rule: "WRONG_DESTINATION",
                subject: name,
                description: format!(
                    "a collection takes copies of the collection that it was made from only; copy \
                     into one whose source is {home}, or create one"
                ),
            });
        }
        if destination.region == source.home.region {
            return Err(Error::FailedPrecondition {
                rule: "SAME_REGION",
                subject: name,
                description: format!(
                    "source and destination are both in {}; ARM copies to another region only",
                    destination.region
                ),
            });
        }
        Ok(())
    }

    /// The newest copy that has not failed, with its true state. ARM takes copies one by one in the
    /// order of their times, so that of those that seem to have succeeded only this can be under way.
    async fn newest(
        &self,
        destination: &Home,
        copies: &[RestorePoint],
    ) -> Result<Option<RestorePoint>, Error> {
        let alive =
            copies.iter().filter(|copy| matches!(copy.state, State::Copying | State::Ready));
        match alive.max_by_key(|copy| copy.point_time) {
            Some(copy) if copy.state == State::Copying => {
                match self.look_up(destination, &copy.name.restore_point, View::Basic).await {
                    Err(Error::NotFound { .. }) => Ok(None),
                    copy => copy.map(Some),
                }
            }
            newest => Ok(newest.cloned()),
        }
    }
}

fn check_source(source: &Found) -> Result<(), Error> {
    let refuse = |rule, description: String| {
        Err(Error::FailedPrecondition { rule, subject: source.point.name.to_string(), description })
    };
    // First, since waiting for it to become READY would help nobody.
    if source.wire.copied_from().is_some() {
        return refuse(
            "COPY_OF_COPY",
            "it is a copy itself; copy the point that it was copied from".to_owned(),
        );
    }
    match source.point.state {
        State::Ready => Ok(()),
        State::Creating => refuse(
            "SOURCE_NOT_READY",
            "it is still being made; watch it until READY and copy it then".to_owned(),
        ),
        _ => refuse(
            "SOURCE_NOT_READY",
            format!(
                "it is not READY ({}), and no waiting is known to help; copy another point",
                source.point.state_reason
            ),
        ),
    }
}

fn check_not_copied(source: &RestorePoint, copies: &[RestorePoint]) -> Result<(), Error> {
    let same = |copy: &&RestorePoint| {
        let from = copy.source_restore_point.as_ref().map(|name| name.to_string().to_lowercase());
        from == Some(source.name.to_string().to_lowercase())
    };
    let Some(copy) = copies.iter().find(same) else { return Ok(()) };
    let what_to_do = if copy.state == State::Failed {
        "that copy has failed: delete it at the vendor first"
    } else {
        "use that copy"
    };
    Err(Error::FailedPrecondition {
        rule: "ALREADY_COPIED",
        subject: copy.name.to_string(),
        description: format!(
            "a point is copied into a region once, and {} is a copy of this one; {what_to_do}",
            copy.name
        ),
    })
}

fn check_turn(
    source: &RestorePoint,
    copies: &[RestorePoint],
    newest: Option<&RestorePoint>,
) -> Result<(), Error> {
    let creating = copies.iter().find(|copy| copy.state == State::Creating);
    let copying = newest.filter(|copy| copy.state == State::Copying);
    if let Some(running) = creating.or(copying) {
        return Err(Error::Aborted {
            problem: format!(
                "{} is under way, and ARM takes one copy at a time from a collection into another; \
                 watch it to its end and try again",
                running.name
            ),
        });
    }
    match newest {
        Some(newer) if newer.state == State::Ready && newer.point_time > source.point_time => {
            Err(Error::FailedPrecondition {
                rule: "COPY_ORDER",
                subject: newer.name.to_string(),
                description: format!(
                    "points are copied in the order of their times, and {} is newer than this one; \
                     copy a point that is newer still, or copy into another collection",
                    newer.name
                ),
            })
        }
        _ => Ok(()),
    }
}
