<?php
/**
 * What was added or removed after the engine's last pass, in case it is never heard of again.
 *
 * While we are in charge the built-in integration receives none of its events, and an engine that ends right
 * then has not acted on them. So each is noted until a pass must have seen it. What remains when
 * the engine has become silent is shown, and sent by the built-in where a person says so. A copy of the
 * network contains the notes, too, but sends nothing: what happened to the original is no matter of its.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The events that may not have been acted on.
 */
final class Gap {

	/**
	 * The name of the rows, and how many there are at most.
	 */
	const OPTION = 'closte_sync_gap';
	const MOST   = 1000;

	/**
	 * An alias is removed only by the second pass that misses its mapping, a minute later at the earliest: an
	 * event is kept for longer, in seconds.
	 */
	const SETTLES = 600;

	/**
	 * The events, what each means, and the name of its first argument.
	 */
	const ADDED   = array(
		'wu_add_domain'    => 'domain',
		'wu_add_subdomain' => 'subdomain',
	);
	const REMOVED = array(
		'wu_remove_domain'    => 'domain',
		'wu_remove_subdomain' => 'subdomain',
	);

	/**
	 * The built-in did not receive an event.
	 *
	 * @param string $hook   Which.
	 * @param mixed  $domain Its name.
	 * @param mixed  $site   The id of its site.
	 */
	public static function note( $hook, $domain, $site ) {
		global $wpdb;
		$network = get_current_network_id();
		$event   = wp_json_encode(
			array(
				'hook'   => $hook,
				'domain' => strtolower( (string) $domain ),
				'site'   => (int) $site,
				'at'     => time(),
				'in'     => Home::here(),
			)
		);
		// phpcs:ignore WordPress.DB -- No option: several rows share the name.
		$wpdb->query( $wpdb->prepare( "INSERT INTO $wpdb->sitemeta (site_id, meta_key, meta_value) SELECT %d, %s, %s FROM DUAL WHERE (SELECT COUNT(*) FROM $wpdb->sitemeta WHERE site_id = %d AND meta_key = %s) < %d", $network, self::OPTION, $event, $network, self::OPTION, self::MOST ) );
	}

	/**
	 * A pass began after a time and is over: what happened before was seen by it.
	 *
	 * @param int $time When; 0 for never.
	 */
	public static function forget_until( $time ) {
		$time = min( $time, time() - self::SETTLES );
		$over = static function ( $event ) use ( $time ) {
			return $event['at'] <= $time || Home::here() !== $event['in'];
		};
		Network_Rows::drop( self::OPTION, array_keys( array_filter( self::stored(), $over ) ) );
	}

	/**
	 * What nobody has sent, as far as is known: names that were added and are in use, and names that were
	 * removed and are not.
	 *
	 * @return array[] `added` and `removed`: events by the id of their row, the last one of each name.
	 */
	public static function unsent() {
		$events = self::events();
		$in_use = array_fill_keys( self::in_use( array_unique( wp_list_pluck( $events, 'domain' ) ) ), true );
		$known  = self::known_to_be_at_the_host();
		$unsent = array(
			'added'   => array(),
			'removed' => array(),
		);
		$last   = array();
		foreach ( $events as $id => $event ) {
			$last[ "{$event['hook']} {$event['domain']}" ] = $id;
		}
		foreach ( array_intersect_key( $events, array_flip( $last ) ) as $id => $event ) {
			$is_in_use = isset( $in_use[ $event['domain'] ] );
			if ( isset( self::REMOVED[ $event['hook'] ] ) && ! $is_in_use ) {
				$unsent['removed'][ $id ] = $event;
			} elseif ( isset( self::ADDED[ $event['hook'] ] ) && $is_in_use && ! isset( $known[ $event['domain'] ] ) ) {
				$unsent['added'][ $id ] = $event;
			}
		}
		return $unsent;
	}

	/**
	 * Have the built-in integration send events: they are enqueued again, each once. What happened to the same
	 * name before is settled by it.
	 *
	 * @param array[] $events Some of those that nobody sent, by the id of their row.
	 * @return int How many were enqueued.
	 */
	public static function send( array $events ) {
		$sent = 0;
		if ( ! Ultimate_Multisite::can_enqueue() ) {
			return $sent;
		}
		$stored = self::stored();
		foreach ( $events as $id => $event ) {
			$is_older = static function ( $other, $other_id ) use ( $event, $id ) {
				return $other_id < $id && $other['domain'] === $event['domain'];
			};
			$older    = array_filter( $stored, $is_older, ARRAY_FILTER_USE_BOTH );
			// The last row goes last: until then nobody else sees an older one as the last.
			Network_Rows::drop( self::OPTION, array_keys( array_diff_key( $older, $events ) ) );
			// Whoever deletes the row enqueues it.
			if ( 1 === Network_Rows::drop( self::OPTION, array( $id ) ) ) {
				$name = ( self::ADDED + self::REMOVED )[ $event['hook'] ];
				Ultimate_Multisite::enqueue(
					$event['hook'],
					array(
						$name     => $event['domain'],
						'site_id' => $event['site'],
					)
				);
				++$sent;
			}
		}
		return $sent;
	}

	/**
	 * The plugin goes, and with it the page that could ask. What is mapped is added, which does no harm; nothing
	 * is removed without a person's word, so removals are only logged.
	 */
	public static function leave() {
		if ( Home::is_elsewhere() ) {
			return;
		}
		$unsent = self::unsent();
		self::send( $unsent['added'] );
		foreach ( $unsent['removed'] as $event ) {
			/* translators: %s: a domain. */
			Ultimate_Multisite::log( sprintf( __( '%s: its mapping was removed, and closte-sync was deactivated before its engine must have seen that. Remove it at Closte if it is still there.', 'closte-sync' ), $event['domain'] ) );
		}
	}

	/**
	 * The events of this network and of no other that it is a copy of.
	 *
	 * @return array[] See `stored`.
	 */
	private static function events() {
		$is_ours = static function ( $event ) {
			return Home::here() === $event['in'];
		};
		return array_filter( self::stored(), $is_ours );
	}

	/**
	 * The events that are noted, in their order, by the id of their row.
	 *
	 * @return array[]
	 */
	private static function stored() {
		$is_event = static function ( $event ) {
			return isset( $event['hook'], $event['domain'], $event['site'], $event['at'], $event['in'] );
		};
		return array_filter( Network_Rows::all( self::OPTION, 2 * self::MOST ), $is_event );
	}

	/**
	 * Those of some names that are mapped, or a site's own.
	 *
	 * @param string[] $names Names.
	 * @return string[] Where the database fails, all of them: then nothing is removed.
	 */
	private static function in_use( array $names ) {
		global $wpdb;
		if ( array() === $names ) {
			return array();
		}
		$marks = implode( ', ', array_fill( 0, count( $names ), '%s' ) );
		$found = array();
		// Not in one query, as the tables may differ in their collation.
		foreach ( array( Ultimate_Multisite::mappings_table(), $wpdb->blogs ) as $table ) {
			// phpcs:ignore WordPress.DB -- The marks are placeholders, and a cache is what we avoid.
			$found[] = $wpdb->get_col( $wpdb->prepare( "SELECT domain FROM `$table` WHERE domain IN ($marks)", array_values( $names ) ) );
			if ( '' !== $wpdb->last_error ) {
				return $names;
			}
		}
		return array_map( 'strtolower', array_merge( ...$found ) );
	}

	/**
	 * The names that the engine saw at the host, or that are never sent.
	 *
	 * @return bool[] By name.
	 */
	private static function known_to_be_at_the_host() {
		$known = array();
		foreach ( Engine::domains() as $domain ) {
			if ( isset( $domain['domain'], $domain['alias'] ) && in_array( $domain['alias'], array( 'present', 'protected' ), true ) ) {
				$known[ (string) $domain['domain'] ] = true;
			}
		}
		return $known;
	}
}
