//! Properties of the backends: with any settings of a simulator, a list is complete and has the same content.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use restore_point_gateway::backend::{Backend, Cursor, azure, veeam_em};
use restore_point_gateway::model::{Error, RestorePoint, Segment, VendorProperties, View};
use restore_point_sandbox::CertificateAuthority;
use restore_point_sandbox::azure::{Azure, Quirks, Settings as AzureSettings, Throttling};
use restore_point_sandbox::veeam_em::{
    Ampersands, AttributeOrder, ByteOrderMark, CloudQuery, EnterpriseManager, Hrefs, ListItem,
    NameStyle, Product, ReplicaListItem, Settings as VeeamSettings, VmName,
};
use restore_point_test_support::fixture::{azure_backend, manual_clock, veeam_backend};

/// Few, because each case starts two simulators.
const CASES: u32 = 12;

/// Runs an asynchronous property on values of a strategy.
fn check<S: Strategy>(strategy: S, property: impl AsyncFn(S::Value)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner =
        TestRunner::new(Config { cases: CASES, max_shrink_iters: 20, ..Config::default() });
    let outcome = runner.run(&strategy, |value| {
        runtime.block_on(property(value));
        Ok(())
    });
    if let Err(TestError::Fail(reason, value)) = outcome {
        panic!("{reason}\n{value:#?}");
    }
}

/// The points of all pages of a backend, sorted by name.
async fn list_all(
    backend: &dyn Backend,
    view: View,
    page_size: usize,
) -> Result<Vec<RestorePoint>, Error> {
    let mut points = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = backend.list(&Segment::Any, view, cursor.as_ref(), page_size).await?;
        assert!(page.items.len() <= page_size);
        points.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    points.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(points.windows(2).all(|pair| pair[0].name != pair[1].name), "a duplicate point");
    Ok(points)
}

fn start_veeam(settings: VeeamSettings) -> (EnterpriseManager, veeam_em::VeeamEm) {
    let simulator = EnterpriseManager::start(settings).unwrap();
    let backend = veeam_em::VeeamEm::new(veeam_backend("em", &simulator)).unwrap();
    (simulator, backend)
}

prop_compose! {
    fn veeam_settings()(
        points in 0..120_usize,
        seed: u64,
        fraction_digits in 0..=9_u8,
        page_size in 1..150_usize,
        variations: [bool; 10],
    ) -> VeeamSettings {
        let [product, names, order, vm_name, item, replica_item, hrefs, mark, ampersands, query] = variations;
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
            ..VeeamSettings::new(manual_clock())
        }
    }
}

/// The properties of a point that do not depend on the settings of the server.
fn invariant(point: &RestorePoint) -> impl PartialEq + std::fmt::Debug + use<> {
    let VendorProperties::Veeam(veeam) = &point.vendor else { panic!("{point:?}") };
    let second = point.point_time.map(|time| time.as_second());
    let veeam = (veeam.point_type.clone(), veeam.raw_state.clone(), veeam.replica.clone());
    (point.name.clone(), point.state, second, point.source.vm_name.clone(), veeam)
}

#[test]
fn a_veeam_list_is_complete_with_any_settings() {
    check((veeam_settings(), 1..130_usize), async |(settings, page_size)| {
        let (points, seed) = (settings.points, settings.seed);
        // The simulator derives the ids of points in backups from their names.
        let (name_style, fraction_digits) = (settings.name_style, settings.fraction_digits);
        let raw_ampersands = settings.ampersands == Ampersands::Raw;
        let (_simulator, backend) = start_veeam(VeeamSettings {
            points,
            seed,
            name_style,
            fraction_digits,
            ..VeeamSettings::new(manual_clock())
        });
        let expected = list_all(&backend, View::Basic, 1000).await.unwrap();
        let is_cloud =
            |point: &&RestorePoint| point.uid.starts_with("urn:veeam:CloudVmReplicaPoint:");
        assert_eq!(expected.iter().filter(is_cloud).count(), points + 6, "the seeded points");

        let (_simulator, backend) = start_veeam(settings);
        match list_all(&backend, View::Basic, page_size).await {
            Ok(listed) => {
                let invariants =
                    |points: &[RestorePoint]| points.iter().map(invariant).collect::<Vec<_>>();
                assert_eq!(invariants(&listed), invariants(&expected));
            }
            // Raw ampersands are not valid XML: an error is allowed, a shorter list is not.
            Err(Error::InvalidResponse { .. }) if raw_ampersands => {}
            Err(error) => panic!("{error:?}"),
        }
    });
}

prop_compose! {
    fn azure_settings()(
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
            clock: manual_clock(),
            points,
            seed,
            page_size,
            // Pages of one point need more reads than ARM's throttling allows while the clock stands still.
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

fn start_azure(
    settings: AzureSettings,
    authority: &CertificateAuthority,
    api_version: &str,
) -> (Azure, azure::Azure) {
    let simulator = Azure::start(settings, authority).unwrap();
    let backend = azure::Azure::new(azure::Settings {
        api_version: api_version.to_owned(),
        credential: azure::Credential::StaticToken(simulator.static_token().into()),
        ..azure_backend("az", &simulator, authority)
    });
    (simulator, backend.unwrap())
}

#[test]
fn an_azure_list_is_complete_with_any_settings() {
    let versions = ["2021-11-01", "2022-03-01", "2023-07-01", "2024-07-01", "2025-04-01"];
    let versions = proptest::sample::select(versions.to_vec());
    let authority = Arc::new(CertificateAuthority::generate().unwrap());
    check((azure_settings(), versions, 1..130_usize), async |(settings, version, page_size)| {
        let (points, seed) = (settings.points, settings.seed);
        let defaults =
            AzureSettings { clock: manual_clock(), points, seed, ..AzureSettings::default() };
        let (_simulator, backend) = start_azure(defaults, &authority, version);
        let expected = list_all(&backend, View::Full, 1000).await.unwrap();
        assert_eq!(expected.len(), points + 10, "the seeded points");

        let (_simulator, backend) = start_azure(settings, &authority, version);
        assert_eq!(list_all(&backend, View::Full, page_size).await.unwrap(), expected);
    });
}
