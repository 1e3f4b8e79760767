//! How other programs reach the simulators: the content of the access file.

use std::collections::BTreeSet;
use std::sync::Arc;

use restore_point_sandbox::azure::{self, Azure};
use restore_point_sandbox::veeam_em::{self, EnterpriseManager};
use restore_point_sandbox::{CertificateAuthority, Clock, SimulatedVendor};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

fn keys(vendor: &dyn SimulatedVendor) -> BTreeSet<String> {
    vendor.access().as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn access_has_addresses_credentials_and_the_certificate_to_trust() {
    let ca = CertificateAuthority::generate().unwrap();
    let azure = Azure::start(azure::Settings::default(), &ca).unwrap();
    let expected = [
        "authority",
        "ca_pem",
        "client_id",
        "client_secret",
        "endpoint",
        "subscription_id",
        "tenant_id",
    ];
    assert_eq!(keys(&azure), expected.map(String::from).into());
    assert_eq!(azure.access()["ca_pem"], ca.pem());

    let veeam = EnterpriseManager::start(veeam_em::Settings::new(Clock::running(1.0))).unwrap();
    let expected = ["certificate_pem", "certificate_sha256", "password", "url", "username"];
    assert_eq!(keys(&veeam), expected.map(String::from).into());
    let access = veeam.access();
    let pem = access["certificate_pem"].as_str().unwrap();
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    assert_eq!(der.as_ref(), veeam.certificate_der());
    assert!(pem.lines().all(|line| line.len() <= 64) && pem.ends_with("-----\n"), "{pem}");

    let vendors: [Arc<dyn SimulatedVendor>; 2] = [Arc::new(azure), Arc::new(veeam)];
    assert_eq!(vendors.map(|vendor| vendor.info().name()), ["azure", "veeam"]);
}
