//! The simulated Veeam Backup Enterprise Manager.
