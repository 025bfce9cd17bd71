<?php
/**
 * The network's options, straight from the table.
 *
 * An object cache may contain outdated values, and the engine writes by SQL. So nothing here is ever
 * read from a cache, and whatever is written is removed from it.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Rows of `wp_sitemeta` that belong to this network. The first of a name counts, as in WordPress.
 */
final class Network_Options {

	/**
	 * So often a change is tried: each time it fails, somebody else's was stored.
	 */
	const TRIES = 30;

	/**
	 * The value of one option.
	 *
	 * @param string $name Its name.
	 * @return mixed Null where there is none, or none that unserializes.
	 */
	public static function read( $name ) {
		return self::read_all( array( $name ) )[ $name ];
	}

	/**
	 * The values of several options, in one query.
	 *
	 * @param string[] $names Their names.
	 * @return array By name; null where there is none.
	 */
	public static function read_all( array $names ) {
		return array_map( array( self::class, 'value' ), self::raw( $names ) );
	}

	/**
	 * Several options as the table holds them.
	 *
	 * @param string[] $names Their names.
	 * @return array By name; null where there is none.
	 */
	public static function raw( array $names ) {
		global $wpdb;
		$marks  = implode( ', ', array_fill( 0, count( $names ), '%s' ) );
		$values = array_merge( array( get_current_network_id() ), $names );
		// phpcs:ignore WordPress.DB -- The marks are placeholders, and a cache is what we avoid.
		$rows  = $wpdb->get_results( $wpdb->prepare( "SELECT meta_key, meta_value FROM $wpdb->sitemeta WHERE site_id = %d AND meta_key IN ($marks) ORDER BY meta_id DESC", $values ) );
		$found = array_fill_keys( $names, null );
		foreach ( (array) $rows as $row ) {
			$found[ $row->meta_key ] = $row->meta_value;
		}
		return $found;
	}

	/**
	 * Store one of our own options.
	 *
	 * @param string $name  Its name.
	 * @param mixed  $value What is to be read from now on.
	 * @return bool Whether the database stored it.
	 */
	public static function write( $name, $value ) {
		global $wpdb;
		$network = get_current_network_id();
		$stored  = maybe_serialize( $value );
		$is_done = false;
		// phpcs:disable WordPress.DB -- A cache is what we avoid.
		$row = $wpdb->get_var( $wpdb->prepare( "SELECT meta_id FROM $wpdb->sitemeta WHERE site_id = %d AND meta_key = %s ORDER BY meta_id LIMIT 1", $network, $name ) );
		if ( null !== $row ) {
			$is_done = false !== $wpdb->query( $wpdb->prepare( "UPDATE $wpdb->sitemeta SET meta_value = %s WHERE meta_id = %d", $stored, $row ) );
		} elseif ( '' === $wpdb->last_error ) {
			$is_done = 1 === $wpdb->query( $wpdb->prepare( "INSERT INTO $wpdb->sitemeta (site_id, meta_key, meta_value) VALUES (%d, %s, %s)", $network, $name, $stored ) );
		}
		// phpcs:enable
		self::forget( $name, null === $row );
		return $is_done;
	}

	/**
	 * Store one of our own options unless there is one, in one step.
	 *
	 * @param string $name  Its name.
	 * @param mixed  $value What is to be read from now on, if nobody was first.
	 */
	public static function write_first( $name, $value ) {
		global $wpdb;
		$network = get_current_network_id();
		// phpcs:ignore WordPress.DB -- A cache is what we avoid.
		$wpdb->query( $wpdb->prepare( "INSERT INTO $wpdb->sitemeta (site_id, meta_key, meta_value) SELECT %d, %s, %s FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM $wpdb->sitemeta WHERE site_id = %d AND meta_key = %s)", $network, $name, maybe_serialize( $value ), $network, $name ) );
		self::forget( $name, true );
	}

	/**
	 * Store one of our own options over what it was, in one step.
	 *
	 * @param string $name  Its name.
	 * @param string $old   What the table must still hold.
	 * @param mixed  $value What is to be read from now on; never the same as before.
	 * @return bool Whether it was that.
	 */
	public static function exchange( $name, $old, $value ) {
		global $wpdb;
		// phpcs:ignore WordPress.DB -- A cache is what we avoid.
		$rows = $wpdb->query( $wpdb->prepare( "UPDATE $wpdb->sitemeta SET meta_value = %s WHERE site_id = %d AND meta_key = %s AND meta_value = %s", maybe_serialize( $value ), get_current_network_id(), $name, $old ) );
		self::forget( $name, false );
		return 0 < $rows;
	}

	/**
	 * Change one of our own options, whose value is never the same twice, without losing what others
	 * store at the same time.
	 *
	 * @param string   $name   Its name.
	 * @param callable $change Given its value, returns the new one; null to leave it.
	 * @return bool Whether it was changed.
	 */
	public static function change( $name, callable $change ) {
		global $wpdb;
		for ( $tries = 0; $tries < self::TRIES; $tries++ ) {
			// phpcs:ignore WordPress.DB -- A cache is what we avoid.
			$row = $wpdb->get_row( $wpdb->prepare( "SELECT meta_value FROM $wpdb->sitemeta WHERE site_id = %d AND meta_key = %s ORDER BY meta_id LIMIT 1", get_current_network_id(), $name ) );
			if ( null === $row ) {
				self::write_first( $name, array() );
				continue;
			}
			$value = $change( self::value( $row->meta_value ) );
			if ( null === $value ) {
				return false;
			}
			if ( self::exchange( $name, $row->meta_value, $value ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Remove an option from the object cache.
	 *
	 * @param string $name   Its name.
	 * @param bool   $is_new Whether the cache may say that there is none. All options share that list, so it is
	 *                       not dropped without need.
	 */
	public static function forget( $name, $is_new ) {
		$network = get_current_network_id();
		wp_cache_delete( "$network:$name", 'site-options' );
		if ( $is_new ) {
			wp_cache_delete( "$network:notoptions", 'site-options' );
		}
	}

	/**
	 * Whether PHP reads a list of settings, or nothing, in a stored value. In anything else nobody knows what was
	 * meant.
	 *
	 * @param string|null $stored As the table holds it.
	 * @return bool
	 */
	public static function is_list( $stored ) {
		$value = self::value( $stored );
		return is_array( $value ) || ( empty( $value ) && ( null !== $value || null === $stored ) );
	}

	/**
	 * What a stored value means. It never creates objects.
	 *
	 * @param string|null $stored As the table holds it.
	 * @return mixed Null for none, and for what does not unserialize.
	 */
	public static function value( $stored ) {
		if ( ! is_serialized( $stored ) ) {
			return $stored;
		}
		// phpcs:ignore -- An invalid value shows in the result.
		$value = @unserialize( trim( $stored ), array( 'allowed_classes' => false ) );
		return false === $value && 'b:0;' !== trim( $stored ) ? null : $value;
	}
}
