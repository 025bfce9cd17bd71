<?php
/**
 * Plugin Name: What modules of the stand-in extend, with few types
 */

namespace WP_Ultimo\Integrations {
	interface Capability_Module {
		public function get_capability_id();
		public function get_title();
		public function supports(string $feature);
		public function register_hooks();
		public function get_explainer_lines();
		public function set_integration(Integration $integration);
		public function test_connection();
	}

	abstract class Base_Capability_Module implements Capability_Module {
		protected Integration $integration;
		protected array $supported_features = [];

		public function supports($feature) {
			return in_array($feature, $this->supported_features, true);
		}

		public function set_integration(Integration $integration) {
			$this->integration = $integration;
		}

		public function register_hooks() {}

		public function get_explainer_lines() {
			return ['will' => [], 'will_not' => []];
		}

		public function test_connection() {
			return true;
		}
	}
}

namespace WP_Ultimo\Integrations\Capabilities {
	interface Domain_Mapping_Capability {
		public function on_add_domain(string $domain, int $site_id): void;
		public function on_remove_domain(string $domain, int $site_id): void;
		public function on_add_subdomain(string $subdomain, int $site_id): void;
		public function on_remove_subdomain(string $subdomain, int $site_id): void;
	}
}
