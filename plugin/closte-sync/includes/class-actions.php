<?php
/**
 * Links and forms of ours that do something, and what guards them.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * What all of them share.
 */
final class Actions {

	/**
	 * The address of an action of ours.
	 *
	 * @param string   $action Its name.
	 * @param string[] $query  What else it needs.
	 * @return string Not escaped.
	 */
	public static function url( $action, array $query = array() ) {
		$query = array_map( 'rawurlencode', $query ) + array(
			'action'   => $action,
			'_wpnonce' => wp_create_nonce( $action ),
		);
		return add_query_arg( $query, get_admin_url( is_multisite() ? get_main_site_id() : null, 'admin-post.php' ) );
	}

	/**
	 * End the request unless an admin of the network made it by a link of ours.
	 *
	 * @param string $action Its name.
	 */
	public static function demand( $action ) {
		check_admin_referer( $action );
		if ( ! current_user_can( self::capability() ) ) {
			wp_die( esc_html__( 'You may not do this.', 'closte-sync' ), '', array( 'response' => 403 ) );
		}
	}

	/**
	 * What a user must be able to do.
	 *
	 * @return string
	 */
	public static function capability() {
		return is_multisite() ? 'manage_network' : 'manage_options';
	}
}
