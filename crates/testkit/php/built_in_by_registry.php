<?php
/**
 * Plugin Name: The built-in integration of the stand-in, in its registry
 */

namespace WP_Ultimo\Integrations {
	final class Integration {
		public function is_enabled(): bool {
			$switches = get_network_option(null, 'wu_host_integrations_enabled', []);
			return !empty($switches['closte']);
		}
	}

	final class Integration_Registry {
		private $capabilities = [];

		public function add_capability(string $integration, Capability_Module $module): void {
			$this->capabilities[$integration][$module->get_capability_id()] = $module;
		}

		public function get_capability(string $integration, string $capability) {
			return $this->capabilities[$integration][$capability];
		}

		public function fire(): void {
			$this->add_capability('closte', new Providers\Closte\Closte_Domain_Mapping());
			do_action('wu_register_capabilities', $this);
			$integration = new Integration();
			foreach ($this->capabilities['closte'] as $module) {
				$module->set_integration($integration);
				if ($integration->is_enabled()) {
					$module->register_hooks();
				}
			}
		}
	}

	$GLOBALS['stand_in_registry'] = new Integration_Registry();
	add_action('plugins_loaded', [$GLOBALS['stand_in_registry'], 'fire'], 12);
}

namespace WP_Ultimo\Integrations\Providers\Closte {
	use WP_Ultimo\Integrations\Base_Capability_Module;
	use WP_Ultimo\Integrations\Capabilities\Domain_Mapping_Capability;

	class Closte_Domain_Mapping extends Base_Capability_Module implements Domain_Mapping_Capability {
		public function get_capability_id(): string {
			return 'domain-mapping';
		}

		public function get_title(): string {
			return 'Domain Mapping';
		}

		public function register_hooks(): void {
			foreach (['add_domain', 'remove_domain', 'add_subdomain', 'remove_subdomain'] as $event) {
				add_action("wu_$event", [$this, "on_$event"], 10, 2);
			}
		}

		public function on_add_domain(string $domain, int $site_id): void {
			stand_in_note('built-in.log', "add $domain");
		}

		public function on_remove_domain(string $domain, int $site_id): void {
			stand_in_note('built-in.log', "remove $domain");
		}

		public function on_add_subdomain(string $domain, int $site_id): void {
			stand_in_note('built-in.log', "add-sub $domain");
		}

		public function on_remove_subdomain(string $domain, int $site_id): void {
			stand_in_note('built-in.log', "remove-sub $domain");
		}
	}
}
