//! The network: wp-config.php, PHP values, and the tables of WordPress and Ultimate Multisite.
