<?php
/**
 * The networks that share these tables. What WordPress does for all of them at once, such as deleting this
 * plugin, we do for each.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * All networks.
 */
final class Networks {

	/**
	 * Whether there is another one than this.
	 *
	 * @return bool
	 */
	public static function are_several() {
		return 1 < (int) get_networks( array( 'count' => true ) );
	}

	/**
	 * Do something in each network, as if a request had come in on its main site.
	 *
	 * @param callable $work What to do.
	 */
	public static function each( callable $work ) {
		global $wpdb;
		$here = get_network();
		foreach ( get_networks() as $network ) {
			// WordPress switches between sites, but has no function to switch between networks.
			$GLOBALS['current_site'] = $network; // phpcs:ignore WordPress.WP.GlobalVariablesOverride
			$wpdb->siteid            = (int) $network->id;
			switch_to_blog( get_main_site_id() );
			Engine::forget();
			try {
				$work();
			} finally {
				restore_current_blog();
				$GLOBALS['current_site'] = $here; // phpcs:ignore WordPress.WP.GlobalVariablesOverride
				$wpdb->siteid            = (int) $here->id;
				Engine::forget();
			}
		}
	}
}
