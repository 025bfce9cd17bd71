<?php
/**
 * Plugin Name: What modules of the stand-in extend, with all types
 */

namespace WP_Ultimo\Integrations {
	interface Capability_Module {
		public function get_capability_id(): string;
		public function get_title(): string;
		public function supports(string $feature): bool;
		public function register_hooks(): void;
		public function get_explainer_lines(): array;
		public function set_integration(Integration $integration): void;
		public function test_connection();
	}

	abstract class Base_Capability_Module implements Capability_Module {
		protected Integration $integration;
		protected array $supported_features = [];

		public function supports(string $feature): bool {
			return in_array($feature, $this->supported_features, true);
		}

		public function set_integration(Integration $integration): void {
			$this->integration = $integration;
		}

		public function register_hooks(): void {}

		public function get_explainer_lines(): array {
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
