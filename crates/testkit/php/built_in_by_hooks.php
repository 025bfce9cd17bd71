<?php
/**
 * Plugin Name: The built-in integration of the stand-in, as before there was a registry
 */

namespace WP_Ultimo\Integrations\Host_Providers;

final class Closte_Host_Provider {
	public function on_add_domain($domain, $site_id) {
		stand_in_note('built-in.log', "add $domain");
	}

	public function on_remove_domain($domain, $site_id) {
		stand_in_note('built-in.log', "remove $domain");
	}

	public function on_add_subdomain($domain, $site_id) {
		stand_in_note('built-in.log', "add-sub $domain");
	}

	public function on_remove_subdomain($domain, $site_id) {
		stand_in_note('built-in.log', "remove-sub $domain");
	}
}

add_action('plugins_loaded', static function (): void {
	$switches = get_network_option(null, 'wu_host_integrations_enabled', []);
	if (empty($switches['closte'])) {
		return;
	}
	$provider = new Closte_Host_Provider();
	foreach (['add_domain', 'remove_domain', 'add_subdomain', 'remove_subdomain'] as $event) {
		add_action("wu_$event", [$provider, "on_$event"], 10, 2);
	}
});
