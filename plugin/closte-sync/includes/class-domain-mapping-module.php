<?php
/**
 * The capability `domain-mapping` of Ultimate Multisite's integration `closte`, as we implement it.
 *
 * It makes no calls: the engine does the work, and is notified by a nudge. This file is loaded only
 * where the classes that it extends exist and have a shape we know; see `Module_Fit`.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Replaces the built-in module. Parameters have no types, as in some versions they have none.
 */
final class Domain_Mapping_Module extends \WP_Ultimo\Integrations\Base_Capability_Module implements \WP_Ultimo\Integrations\Capabilities\Domain_Mapping_Capability {

	/**
	 * By this id it replaces the built-in one.
	 *
	 * @return string
	 */
	public function get_capability_id(): string {
		return 'domain-mapping';
	}

	/**
	 * Its title in the wizard.
	 *
	 * @return string
	 */
	public function get_title(): string {
		return __( 'Domain mapping by closte-sync', 'closte-sync' );
	}

	/**
	 * What the wizard says that it does.
	 *
	 * @return array
	 */
	public function get_explainer_lines(): array {
		return array(
			'will'     => array(
				__( 'Keep the domains of this network in step with Closte, retry what fails and remove what is no longer mapped', 'closte-sync' ),
				__( 'Follow DNS and certificate of each domain and show why one is not ready', 'closte-sync' ),
			),
			'will_not' => array(
				__( 'Remove a domain at Closte that it did not add or see mapped', 'closte-sync' ),
				__( 'Show by the connection test that Closte accepts new domains: that shows only that the engine reports', 'closte-sync' ),
			),
		);
	}

	/**
	 * Nothing: the nudge listens on its own, integration or not.
	 */
	public function register_hooks(): void {
	}

	/**
	 * Closte issues certificates automatically.
	 *
	 * @param mixed $feature Its name.
	 * @return bool
	 */
	public function supports( $feature ): bool {
		return 'autossl' === $feature;
	}

	/**
	 * A domain was mapped.
	 *
	 * @param mixed $domain  Its name.
	 * @param mixed $site_id Its site.
	 */
	public function on_add_domain( $domain, $site_id ): void {
		Nudge::mark( 'domain' );
	}

	/**
	 * A mapping was removed.
	 *
	 * @param mixed $domain  Its name.
	 * @param mixed $site_id Its site.
	 */
	public function on_remove_domain( $domain, $site_id ): void {
		Nudge::mark( 'domain' );
	}

	/**
	 * A site was created.
	 *
	 * @param mixed $subdomain Its name.
	 * @param mixed $site_id   Its id.
	 */
	public function on_add_subdomain( $subdomain, $site_id ): void {
		Nudge::mark( 'site' );
	}

	/**
	 * A site was deleted.
	 *
	 * @param mixed $subdomain Its name.
	 * @param mixed $site_id   Its id.
	 */
	public function on_remove_subdomain( $subdomain, $site_id ): void {
		Nudge::mark( 'site' );
	}

	/**
	 * Whether the engine is alive.
	 *
	 * @return true|\WP_Error
	 */
	public function test_connection() {
		if ( Engine::is_heard_of() ) {
			return true;
		}
		return new \WP_Error( 'closte_sync_silent', Home::is_elsewhere() ? Words::copy() : Words::silence() );
	}
}
