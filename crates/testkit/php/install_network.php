<?php
// Makes a network with sub-domains of a single WordPress, as its page "Network Setup" does.

define('WP_INSTALLING_NETWORK', true);
require ABSPATH . 'wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

foreach ($wpdb->tables('ms_global') as $name => $table) {
	$wpdb->$name = $table;
}
install_network();
$answer = populate_network(1, 'network.example', 'admin@network.example', 'The Network', '/', true);
// It tests whether any sub-domain answers over HTTP, and says so when none does: here none does.
if (!is_wp_error($answer) || $answer->get_error_codes() !== ['no_wildcard_dns']) {
	well($answer);
	throw new RuntimeException('it thinks that it reached a sub-domain');
}
