<?php
// Gives the network the options of Ultimate Multisite, with its Closte integration switched on.

require ABSPATH . 'wp-load.php';

update_network_option(1, 'wp-ultimo_v2_settings', [
	'dns_check_interval' => '300',
	'enable_domain_mapping' => '1',
	'auto_create_www_subdomain' => 'always',
]);
update_network_option(1, 'wu_host_integrations_enabled', ['closte' => true]);
