<?php
/**
 * Ultimate Multisite, as far as we know it.
 *
 * Versions differ: what is not there is left out, and nothing is called without checking that it exists.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Its functions, tables and options.
 */
final class Ultimate_Multisite {

	const INTEGRATIONS = 'wu_host_integrations_enabled';
	const SETTINGS     = 'wp-ultimo_v2_settings';
	const LOG          = 'integration-closte';

	/**
	 * Whether it is loaded.
	 *
	 * @return bool
	 */
	public static function is_there() {
		return function_exists( 'wu_get_domain' );
	}

	/**
	 * Its version.
	 *
	 * @return string|null Null where it is not there.
	 */
	public static function version() {
		if ( ! self::is_there() ) {
			return null;
		}
		if ( defined( 'WP_Ultimo::VERSION' ) ) {
			return (string) constant( 'WP_Ultimo::VERSION' );
		}
		return function_exists( 'wu_get_version' ) ? (string) wu_get_version() : 'unknown';
	}

	/**
	 * Whether it has the registry of integrations.
	 *
	 * @return bool
	 */
	public static function has_registry() {
		return class_exists( 'WP_Ultimo\Integrations\Integration_Registry' );
	}

	/**
	 * Whether the option of switches has Closte on.
	 *
	 * @param mixed $integrations The option.
	 * @return bool
	 */
	public static function has_closte( $integrations ) {
		return is_array( $integrations ) && ! empty( $integrations['closte'] );
	}

	/**
	 * Turn Closte's switch, and keep the others. An option that cannot be read is written anew.
	 *
	 * @param bool $on Where to.
	 * @return bool Whether that is a change.
	 */
	public static function turn( $on ) {
		$stored       = Network_Options::raw( array( self::INTEGRATIONS ) )[ self::INTEGRATIONS ];
		$integrations = Network_Options::value( $stored );
		if ( Network_Options::is_list( $stored ) && self::has_closte( $integrations ) === $on ) {
			return false;
		}
		$integrations = is_array( $integrations ) ? $integrations : array();

		$integrations['closte'] = $on;
		Network_Options::forget( self::INTEGRATIONS, true );
		update_network_option( get_current_network_id(), self::INTEGRATIONS, $integrations );
		return true;
	}

	/**
	 * Whether actions can be put into its queue.
	 *
	 * @return bool
	 */
	public static function can_enqueue() {
		return function_exists( 'wu_enqueue_async_action' );
	}

	/**
	 * Put an action into its queue, as it does itself.
	 *
	 * @param string $hook      Which.
	 * @param array  $arguments By their names, in their order.
	 */
	public static function enqueue( $hook, array $arguments ) {
		wu_enqueue_async_action( $hook, $arguments, 'domain' );
	}

	/**
	 * Write a line into the log that it shows.
	 *
	 * @param string $line The line.
	 */
	public static function log( $line ) {
		if ( function_exists( 'wu_log_add' ) ) {
			wu_log_add( self::LOG, $line );
		}
	}

	/**
	 * The table of mappings.
	 *
	 * @return string
	 */
	public static function mappings_table() {
		global $wpdb;
		return $wpdb->base_prefix . 'wu_domain_mappings';
	}

	/**
	 * The stages that the table has. Others would be stored as an empty one.
	 *
	 * @return string[] Empty where the table does not say.
	 */
	public static function stage_words() {
		global $wpdb;
		$table = self::mappings_table();
		// phpcs:ignore WordPress.DB -- There is no function for it.
		$column = $wpdb->get_row( "SHOW COLUMNS FROM `$table` LIKE 'stage'", ARRAY_N );
		preg_match_all( "/'([^']*)'/", isset( $column[1] ) ? $column[1] : '', $words );
		return $words[1];
	}

	/**
	 * Which rows of the mappings' table are this network's: those of its sites. The engine counts no others: not
	 * those of another network in the same tables, and not those of a site that is not there.
	 *
	 * @return string SQL, a condition.
	 */
	public static function of_our_sites() {
		global $wpdb;
		return $wpdb->prepare( "(blog_id IN (SELECT blog_id FROM $wpdb->blogs WHERE site_id = %d))", get_current_network_id() ); // phpcs:ignore WordPress.DB
	}

	/**
	 * The name of a mapping.
	 *
	 * @param int $id Its id.
	 * @return string Empty where it is not there.
	 */
	public static function name_of( $id ) {
		global $wpdb;
		$table = self::mappings_table();
		// phpcs:ignore WordPress.DB -- Its cache may be stale.
		return (string) $wpdb->get_var( $wpdb->prepare( "SELECT domain FROM `$table` WHERE id = %d", $id ) );
	}

	/**
	 * Whether a name is mapped to a site of this network.
	 *
	 * @param string $domain The name.
	 * @return bool
	 */
	public static function is_mapped( $domain ) {
		return array() !== self::mappings_of( $domain );
	}

	/**
	 * The mappings of a name to sites of this network.
	 *
	 * @param string $domain The name.
	 * @return int[] Their ids, the oldest first.
	 */
	public static function mappings_of( $domain ) {
		global $wpdb;
		$table = self::mappings_table();
		$ours  = self::of_our_sites();
		$quiet = $wpdb->suppress_errors();
		// phpcs:ignore WordPress.DB -- Its cache may be stale.
		$ids = (array) $wpdb->get_col( $wpdb->prepare( "SELECT id FROM `$table` WHERE domain = %s AND $ours ORDER BY id LIMIT 50", $domain ) );
		$wpdb->suppress_errors( $quiet );
		return array_map( 'intval', $ids );
	}
}
