//! The disk provider's view of a point: asked only where the compute provider's leaves something open,
//! since it costs a call more and a right of its own (`diskRestorePoints/read`).

use super::Azure;
use super::id::PointId;
use super::wire;
use crate::model::Error;

/// A machine has at most 64 data disks; more pages than this are no list of disks.
const PAGES: usize = 16;

impl Azure {
    /// What the disk provider says of each disk of a point. Nothing if it cannot be asked, may not be
    /// asked, or makes no sense: then the copy is what the instance view says, still under way.
    pub(super) async fn disk_points(&self, id: &PointId) -> Vec<wire::DiskPoint> {
        match self.read_disk_points(id).await {
            Ok(disks) => disks,
            Err(error) => {
                let point = id.point_name(&self.arm.backend);
                tracing::warn!(%point, %error, "the disks of a copy cannot be asked for");
                Vec::new()
            }
        }
    }

    async fn read_disk_points(&self, id: &PointId) -> Result<Vec<wire::DiskPoint>, Error> {
        let name = id.point_name(&self.arm.backend).to_string();
        let path = [id.path(&self.arm.subscription).as_slice(), &["diskRestorePoints"]].concat();
        let mut url = self.arm.disk_url(&path);
        let mut disks = Vec::new();
        for _ in 0..PAGES {
            let body = self.arm.read(&url, &name).await?;
            let page: wire::DiskPointPage =
                wire::decode(&body).map_err(|why| self.arm.invalid_response(why))?;
            disks.extend(page.value);
            match page.next_link.filter(|link| !link.is_empty()) {
                None => return Ok(disks),
                Some(link) => url = self.next_url(&link)?,
            }
        }
        Err(self.arm.invalid_response("a list of disks without an end"))
    }
}
