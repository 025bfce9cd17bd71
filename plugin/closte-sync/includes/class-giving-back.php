<?php
/**
 * Gives the built-in integration its work back when this plugin is in charge no more.
 *
 * The built-in checks a domain by an action that schedules its own next run. While we are in charge that
 * action does nothing, so its chain ends, and without us nobody would check the domain again. So the first
 * check of each chain is enqueued anew: once, however many processes notice, and on from where one
 * that was killed came to.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * What becomes of the checks.
 */
final class Giving_Back {

	/**
	 * The state: `taken` while we are in charge, then `giving after ID` with the last mapping whose check
	 * was enqueued, then `given`.
	 */
	const OPTION = 'closte_sync_charge';
	const TAKEN  = 'taken';
	const GIVING = 'giving after ';
	const GIVEN  = 'given';

	/**
	 * The event of WP-Cron that notices when the engine has become silent.
	 */
	const LOOK = 'closte_sync_look';

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( self::LOOK, array( self::class, 'look' ) );
		add_action( 'network_admin_notices', array( self::class, 'look' ), 0 );
		register_deactivation_hook( FILE, array( self::class, 'leave' ) );
	}

	/**
	 * The engine was heard, or an event was kept from the built-in: what we took is to be given back one day.
	 */
	public static function take() {
		if ( ! Engine::is_in_charge() ) {
			return;
		}
		if ( self::TAKEN !== Engine::charge() ) {
			Network_Options::write( self::OPTION, self::TAKEN );
			Engine::forget();
		}
		self::look_again();
	}

	/**
	 * Whether everything is given back.
	 *
	 * @return bool
	 */
	public static function is_done() {
		$state = Engine::charge();
		return null === $state || self::GIVEN === $state;
	}

	/**
	 * See whether we are still in charge.
	 */
	public static function look() {
		Engine::forget();
		if ( Engine::is_in_charge() ) {
			self::look_again();
		} else {
			self::give();
		}
	}

	/**
	 * Enqueue the check of every mapping that waits for one, where that is not done; but for a mapping whose
	 * check goes on anyway, as it is what we noticed the silence by.
	 *
	 * @param int    $checked The id of a mapping that the built-in is about to check.
	 * @param string $added   The name of one that was just added, whose first check Ultimate Multisite enqueues.
	 */
	public static function give( $checked = 0, $added = '' ) {
		if ( self::is_done() || ! Ultimate_Multisite::can_enqueue() ) {
			return;
		}
		$state = Engine::charge();
		if ( self::TAKEN === $state && Network_Options::exchange( self::OPTION, $state, self::GIVING . 0 ) ) {
			$state = self::GIVING . 0;
		}
		while ( 0 === strpos( $state, self::GIVING ) ) {
			$state = self::give_next( $state, $checked, $added );
		}
		Engine::forget();
	}

	/**
	 * We go: give everything back, whoever is in charge.
	 */
	public static function leave() {
		// From here on events are the built-in's, also if the plugin is activated again.
		Network_Options::write( Engine::HEARD, 0 );
		Engine::forget();
		self::give();
		Gap::leave();
		switch_to_blog( get_main_site_id() );
		wp_clear_scheduled_hook( self::LOOK );
		restore_current_blog();
	}

	/**
	 * Enqueue the check of the next mapping. Whoever wrote down that it is its turn enqueues it, so nobody
	 * else does.
	 *
	 * @param string $state   After which mapping.
	 * @param int    $checked See `give`.
	 * @param string $added   See `give`.
	 * @return string The state now; empty where the database fails: then the rest follows at the next look.
	 */
	private static function give_next( $state, $checked, $added ) {
		$id = self::waiting_after( (int) substr( $state, strlen( self::GIVING ) ), $checked, $added );
		if ( null === $id ) {
			return '';
		}
		$next = 0 === $id ? self::GIVEN : self::GIVING . $id;
		if ( Network_Options::exchange( self::OPTION, $state, $next ) ) {
			if ( 0 !== $id ) {
				$arguments = array(
					'domain_id' => $id,
					'tries'     => 0,
				);
				Ultimate_Multisite::enqueue( Takeover::CHECKS, $arguments );
			}
			return $next;
		}
		$now = (string) Network_Options::read( self::OPTION );
		return $now === $state ? '' : $now;
	}

	/**
	 * The next mapping of this network that waits for a check.
	 *
	 * @param int    $id      After this one.
	 * @param int    $checked See `give`.
	 * @param string $added   See `give`.
	 * @return int|null 0 for none; null where the database fails.
	 */
	private static function waiting_after( $id, $checked, $added ) {
		global $wpdb;
		$table = Ultimate_Multisite::mappings_table();
		$ours  = Ultimate_Multisite::of_our_sites();
		// phpcs:ignore WordPress.DB -- A cache is what we avoid.
		$next = $wpdb->get_var( $wpdb->prepare( "SELECT id FROM `$table` WHERE $ours AND id > %d AND id <> %d AND domain <> %s AND stage IN ('checking-dns', 'checking-ssl-cert') ORDER BY id LIMIT 1", $id, $checked, $added ) );
		return '' === $wpdb->last_error ? (int) $next : null;
	}

	/**
	 * Look again when the engine would be silent by then.
	 */
	private static function look_again() {
		$at = Engine::silent_after() + 1;
		switch_to_blog( get_main_site_id() );
		$next = wp_next_scheduled( self::LOOK );
		if ( false === $next || $next > $at ) {
			wp_clear_scheduled_hook( self::LOOK );
			wp_schedule_single_event( $at, self::LOOK );
		}
		restore_current_blog();
	}
}
