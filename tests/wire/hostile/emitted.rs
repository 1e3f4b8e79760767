//! Whatever a simulator can emit, the adapter reads: whatever its habits, sizes and seeds, the list is whole
//! and says the same.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use restore_point_gateway::backend::{Backend, Cursor, azure, veeam_em};
use restore_point_gateway::model::{
    BackendId, Error, RestorePoint, Segment, VendorProperties, View,
};
use restore_point_gateway::upstream::{RateLimit, Trust};
use restore_point_sandbox::azure::{Azure, Quirks, Settings as AzureSettings, Throttling};
use restore_point_sandbox::veeam_em::{
    Ampersands, AttributeOrder, ByteOrderMark, CloudQuery, EnterpriseManager, Hrefs, ListItem,
    NameStyle, Product, ReplicaListItem, Settings as VeeamSettings, VmName,
};
use restore_point_sandbox::{CertificateAuthority, Clock};

/// Each case starts servers of its own.
const CASES: u32 = 12;

/// Runs cases on a runtime that outlives them.
fn for_each<S: Strategy>(strategy: S, case: impl AsyncFn(S::Value)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner =
        TestRunner::new(Config { cases: CASES, max_shrink_iters: 20, ..Config::default() });
    let outcome = runner.run(&strategy, |value| {
        runtime.block_on(case(value));
        Ok(())
    });
    if let Err(TestError::Fail(why, value)) = outcome {
        panic!("{why}\n{value:#?}");
    }
}

fn clock() -> Clock {
    Clock::manual("2026-03-01T12:00:00Z".parse().unwrap())
}

/// All points of a backend, page by page, in the order of their names.
async fn all(backend: &dyn Backend, view: View, size: usize) -> Result<Vec<RestorePoint>, Error> {
    let mut points = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = backend.list(&Segment::Any, view, cursor.as_ref(), size).await?;
        assert!(page.items.len() <= size);
        points.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    points.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(points.windows(2).all(|two| two[0].name != two[1].name), "a point twice");
    Ok(points)
}

fn enterprise_manager(settings: VeeamSettings) -> (EnterpriseManager, veeam_em::VeeamEm) {
    let server = EnterpriseManager::start(settings).unwrap();
    let veeam = veeam_em::VeeamEm::new(veeam_em::Settings {
        id: BackendId::new("em").unwrap(),
        url: server.url().parse().unwrap(),
        username: server.username().to_owned(),
        password: server.password().to_owned().into(),
        tenant: None,
        trust: Trust::pin(server.certificate_der()),
        rate_limit: RateLimit { per_second: 1e6, burst: u32::MAX },
    });
    (server, veeam.unwrap())
}

prop_compose! {
    /// A server with any habits.
    fn any_manager()(
        points in 0..120_usize,
        seed: u64,
        fraction_digits in 0..=9_u8,
        page_size in 1..150_usize,
        habits: [bool; 10],
    ) -> VeeamSettings {
        let [product, names, order, vm_name, item, replica_item, hrefs, mark, ampersands, query] = habits;
        VeeamSettings {
            points,
            seed,
            fraction_digits,
            page_size,
            product: if product { Product::V12 } else { Product::V13 },
            name_style: if names { NameStyle::WholeSeconds } else { NameStyle::Microseconds },
            attribute_order: if order { AttributeOrder::Documented } else { AttributeOrder::RealServer },
            vm_name: if vm_name { VmName::Present } else { VmName::Absent },
            list_item: if item { ListItem::CloudReplica } else { ListItem::CloudVmReplicaPoint },
            replica_list_item: if replica_item {
                ReplicaListItem::VmReplicaPoint
            } else {
                ReplicaListItem::VmRestorePoint
            },
            hrefs: if hrefs { Hrefs::RequestHost } else { Hrefs::InternalName },
            byte_order_mark: if mark { ByteOrderMark::Present } else { ByteOrderMark::Absent },
            ampersands: if ampersands { Ampersands::Raw } else { Ampersands::Escaped },
            cloud_query: if query { CloudQuery::Refused } else { CloudQuery::Answered },
            ..VeeamSettings::new(clock())
        }
    }
}

/// What the habits of a server do not change.
fn lasting(point: &RestorePoint) -> impl PartialEq + std::fmt::Debug + use<> {
    let VendorProperties::Veeam(veeam) = &point.vendor else { panic!("{point:?}") };
    let second = point.point_time.map(|time| time.as_second());
    let veeam = (veeam.point_type.clone(), veeam.raw_state.clone(), veeam.replica.clone());
    (point.name.clone(), point.state, second, point.source.vm_name.clone(), veeam)
}

#[test]
fn any_enterprise_manager() {
    for_each((any_manager(), 1..130_usize), async |(settings, size)| {
        let (points, seed) = (settings.points, settings.seed);
        // A simulated backup draws the ids of its points from their names.
        let (name_style, fraction_digits) = (settings.name_style, settings.fraction_digits);
        let raw_ampersands = settings.ampersands == Ampersands::Raw;
        let (_usual, usual) = enterprise_manager(VeeamSettings {
            points,
            seed,
            name_style,
            fraction_digits,
            ..VeeamSettings::new(clock())
        });
        let expected = all(&usual, View::Basic, 1000).await.unwrap();
        let of_tenants =
            |point: &&RestorePoint| point.uid.starts_with("urn:veeam:CloudVmReplicaPoint:");
        assert_eq!(expected.iter().filter(of_tenants).count(), points + 6, "what was seeded");

        let (_server, odd) = enterprise_manager(settings);
        match all(&odd, View::Basic, size).await {
            Ok(told) => {
                let lasting =
                    |points: &[RestorePoint]| points.iter().map(lasting).collect::<Vec<_>>();
                assert_eq!(lasting(&told), lasting(&expected));
            }
            // That is no XML: it may be refused, but is never a shorter list.
            Err(Error::InvalidResponse { .. }) if raw_ampersands => {}
            Err(error) => panic!("{error:?}"),
        }
    });
}

prop_compose! {
    /// A subscription with any quirks.
    fn any_subscription()(
        points in 0..120_usize,
        seed: u64,
        page_size in 1..30_usize,
        quirks: [bool; 4],
        throttling in proptest::sample::select(vec![
            Throttling::Windows,
            Throttling::Buckets,
            Throttling::Unreported,
        ]),
        retry_after: Option<u32>,
    ) -> AzureSettings {
        let [upper_case_groups, location_on_create, signed_urls, upper_case_encryption_sets] = quirks;
        AzureSettings {
            clock: clock(),
            points,
            seed,
            page_size,
            // Points by ones are more reads than ARM lets through while the clock stands.
            bucket_percent: 10_000,
            quirks: Quirks {
                upper_case_groups,
                location_on_create,
                signed_urls,
                upper_case_encryption_sets,
                throttling,
                retry_after,
                ..Quirks::default()
            },
            ..AzureSettings::default()
        }
    }
}

fn subscription(
    settings: AzureSettings,
    authority: &CertificateAuthority,
    api_version: &str,
) -> (Azure, azure::Azure) {
    let server = Azure::start(settings, authority).unwrap();
    let azure = azure::Azure::new(azure::Settings {
        id: BackendId::new("az").unwrap(),
        subscription_id: server.subscription_id().to_owned(),
        endpoint: server.endpoint().parse().unwrap(),
        authority: server.authority_host().parse().unwrap(),
        api_version: api_version.to_owned(),
        credential: azure::Credential::StaticToken(server.static_token().into()),
        trust: Trust::PlatformAnd(authority.pem().into_bytes()),
        rate_limit: RateLimit { per_second: 1e6, burst: u32::MAX },
    });
    (server, azure.unwrap())
}

#[test]
fn any_subscription_of_azure() {
    let versions = ["2021-11-01", "2022-03-01", "2023-07-01", "2024-07-01", "2025-04-01"];
    let versions = proptest::sample::select(versions.to_vec());
    let authority = Arc::new(CertificateAuthority::generate().unwrap());
    for_each((any_subscription(), versions, 1..130_usize), async |(settings, version, size)| {
        let (points, seed) = (settings.points, settings.seed);
        let usual = AzureSettings { clock: clock(), points, seed, ..AzureSettings::default() };
        let (_usual, usual) = subscription(usual, &authority, version);
        let expected = all(&usual, View::Full, 1000).await.unwrap();
        assert_eq!(expected.len(), points + 10, "what was seeded");

        let (_server, odd) = subscription(settings, &authority, version);
        assert_eq!(all(&odd, View::Full, size).await.unwrap(), expected);
    });
}
