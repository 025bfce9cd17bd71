<?php
/**
 * What should be so, and whether it is: for Site Health and for `wp closte-sync doctor`.
 *
 * Checking changes nothing and asks nobody.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The checks.
 */
final class Checks {

	/**
	 * All of them, by their ids: whether it is well, what is so, and a text.
	 *
	 * @return array[]
	 */
	public static function all() {
		$checks = array(
			'ultimate_multisite' => self::check( Ultimate_Multisite::is_there(), __( 'Ultimate Multisite is active', 'closte-sync' ), __( 'Ultimate Multisite is not active', 'closte-sync' ), __( 'Without it closte-sync does nothing.', 'closte-sync' ) ),
			'secret'             => self::check( null !== Secret::read(), __( 'WordPress and the engine share a secret', 'closte-sync' ), __( 'WordPress and the engine share no secret', 'closte-sync' ), null === Secret::read() ? Words::no_secret() : '' ),
			'engine'             => self::check( Engine::is_heard_of(), __( 'The engine reports', 'closte-sync' ), __( 'The engine does not report', 'closte-sync' ), Words::heard() ),
			'passes'             => Carried::is_there() ? self::passes() : null,
			'switch'             => self::check( Engine::is_switched_on(), __( 'Closte is switched on', 'closte-sync' ), __( 'Closte is not switched on', 'closte-sync' ), Engine::is_switched_on() ? '' : Words::not_on() ),
			'nudge'              => self::check( Nudge::paused_until() <= time(), __( 'Changes can be reported to the engine at once', 'closte-sync' ), __( 'Changes cannot be reported to the engine at once', 'closte-sync' ), __( 'Those that are not reported at once wait for its next pass.', 'closte-sync' ) ),
			'refused'            => self::refused(),
			'alerts'             => self::alerts(),
		);
		return array_filter( $checks );
	}

	/**
	 * Whether a signed request was refused within a day.
	 *
	 * @return array
	 */
	private static function refused() {
		$refused = Refusals::told();
		$signed  = Refusals::signed_at();
		$lately  = null !== $signed && time() - $signed < DAY_IN_SECONDS;
		/* translators: 1: a number, 2: a code. */
		$text = sprintf( __( 'Requests refused so far: %1$d, the last one as %2$s.', 'closte-sync' ), $refused['count'], (string) $refused['last'] );
		return self::check( ! $lately, __( 'No signed request was refused within a day', 'closte-sync' ), __( 'A signed request was refused within a day', 'closte-sync' ), 0 === $refused['count'] ? '' : $text );
	}

	/**
	 * Whether nothing keeps the engine that this plugin carries from making passes.
	 *
	 * @return array
	 */
	private static function passes() {
		$texts = wp_list_pluck( Engine_Words::notices(), 'text' );
		return self::check( array() === $texts, __( 'Nothing keeps the plugin from making passes', 'closte-sync' ), __( 'The plugin cannot make passes as it should', 'closte-sync' ), implode( ' ', $texts ) );
	}

	/**
	 * Whether nothing keeps the engine from its work.
	 *
	 * @return array
	 */
	private static function alerts() {
		$texts = wp_list_pluck( Notices::of_the_engine(), 'text' );
		return self::check( array() === $texts, __( 'Nothing waits for a decision', 'closte-sync' ), __( 'Something waits for a decision', 'closte-sync' ), implode( ' ', $texts ) );
	}

	/**
	 * One check.
	 *
	 * @param bool   $is_well Whether it is well.
	 * @param string $well    What is so then.
	 * @param string $ill     What is so otherwise.
	 * @param string $text    What to say about it.
	 * @return array
	 */
	private static function check( $is_well, $well, $ill, $text ) {
		return array(
			'is_well' => $is_well,
			'label'   => $is_well ? $well : $ill,
			'text'    => $text,
		);
	}
}
