<?php
// A page of the network, as people use it: `do` says what is done on it.

require __DIR__ . '/wp-load.php';

$table = $wpdb->base_prefix . 'wu_domain_mappings';
$domain = $_GET['domain'] ?? '';

switch ($_GET['do']) {
	case 'unpack':
		require ABSPATH . 'wp-admin/includes/file.php';
		$done = WP_Filesystem() ? unzip_file($_GET['file'], WP_PLUGIN_DIR) : false;
		if ($done !== true) {
			exit('it is not unpacked: ' . var_export($done, true));
		}
		break;
	case 'activate':
		require ABSPATH . 'wp-admin/includes/plugin.php';
		$error = activate_plugin('closte-sync/closte-sync.php', '', true);
		if (is_wp_error($error)) {
			exit($error->get_error_message());
		}
		break;
	case 'switch':
		update_network_option(1, 'wu_host_integrations_enabled', ['closte' => $_GET['closte'] === 'on']);
		break;
	case 'map':
		$wpdb->insert($table, ['blog_id' => 1, 'domain' => $domain, 'stage' => 'checking-dns']);
		wu_get_domain($wpdb->insert_id)->save();
		break;
	case 'unmap':
		$id = $wpdb->get_var($wpdb->prepare("SELECT id FROM $table WHERE domain = %s", $domain));
		wu_get_domain($id)->delete();
		break;
	case 'fill':
		$file = fopen($_GET['file'], 'w');
		while (@fwrite($file, str_repeat('x', 512)));
		break;
	case 'free':
		unlink($_GET['file']);
		break;
	default:
		exit('nothing is done');
}
echo 'the page is complete';
