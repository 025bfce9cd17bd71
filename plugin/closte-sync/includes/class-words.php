<?php
/**
 * Sentences that several pages use.
 *
 * They are plain text: the caller that prints one escapes it.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * What is known, in words.
 */
final class Words {

	/**
	 * When the engine last reported.
	 *
	 * @return string
	 */
	public static function heard() {
		$heard = Engine::heard_at();
		if ( 0 === $heard ) {
			return __( 'The engine has not reported yet.', 'closte-sync' );
		}
		/* translators: 1: a time, 2: such as "5 minutes". */
		return sprintf( __( 'The engine last reported on %1$s, %2$s ago.', 'closte-sync' ), self::moment( $heard ), human_time_diff( $heard ) );
	}

	/**
	 * How many domains are ready, in the words of `closte-sync status`.
	 *
	 * @param int $ready   So many are.
	 * @param int $waiting So many are not.
	 * @return string
	 */
	public static function headline( $ready, $waiting ) {
		if ( 0 === $ready + $waiting ) {
			return __( 'No domain is mapped.', 'closte-sync' );
		}
		if ( 0 === $waiting ) {
			/* translators: %s: a number. */
			return sprintf( _n( '%s domain is ready.', 'All %s domains are ready.', $ready, 'closte-sync' ), number_format_i18n( $ready ) );
		}
		/* translators: %s: a number; after it comes how many are not. */
		$of_ready = sprintf( _n( '%s domain is ready,', '%s domains are ready,', $ready, 'closte-sync' ), number_format_i18n( $ready ) );
		/* translators: %s: a number; before it stands how many are ready. */
		return $of_ready . ' ' . sprintf( _n( '%s is not.', '%s are not.', $waiting, 'closte-sync' ), number_format_i18n( $waiting ) );
	}

	/**
	 * That the engine is silent, and what to do.
	 *
	 * @return string
	 */
	public static function silence() {
		$what_to_do = Carried::is_there()
			? __( 'The closte-sync page shows whether WordPress can run it here, and when the next pass is due.', 'closte-sync' )
			: __( 'On the machine of the engine, `closte-sync plugin status` says what is wrong.', 'closte-sync' );
		return self::heard() . ' ' . __( 'Until it reports, Ultimate Multisite\'s own Closte integration works as if this plugin were not here.', 'closte-sync' ) . ' ' . $what_to_do;
	}

	/**
	 * That there is no secret, and what to do.
	 *
	 * @return string
	 */
	public static function no_secret() {
		$text = __( 'There is no secret between WordPress and the engine yet.', 'closte-sync' ) . ' ';
		if ( ! Carried::is_able() ) {
			return $text . __( 'On the machine of the engine, run `closte-sync plugin install`.', 'closte-sync' );
		}
		return $text . ( Engine::is_switched_on() ? __( 'The engine in this plugin makes it with its first pass, which WP-Cron begins within minutes.', 'closte-sync' ) : __( 'The engine in this plugin makes it with its first pass, once Closte is switched on.', 'closte-sync' ) );
	}

	/**
	 * That this is a copy of a network, and what to do.
	 *
	 * @return string
	 */
	public static function copy() {
		$what_to_do = Carried::is_able()
			? __( 'If this is the network itself, say so on the closte-sync page, which offers it once a pass was made.', 'closte-sync' )
			: __( 'If this is the network itself, run `closte-sync enable --here` on the machine of the engine.', 'closte-sync' );
		/* translators: %s: a domain. */
		return sprintf( __( 'closte-sync acts for the installation at %s, and this one is a copy of it or has moved: nothing is sent from here, but Ultimate Multisite\'s own Closte integration works as if this plugin were not here. Switch Closte off in its settings if this is a copy.', 'closte-sync' ), Home::named() ) . ' ' . $what_to_do;
	}

	/**
	 * That Closte is not switched on, and where that is done.
	 *
	 * @return string
	 */
	public static function not_on() {
		$stored = Network_Options::raw( array( Ultimate_Multisite::INTEGRATIONS ) );
		if ( ! Network_Options::is_list( $stored[ Ultimate_Multisite::INTEGRATIONS ] ) ) {
			$what_to_do = Carried::is_there() ? __( 'Switch an integration on in Ultimate Multisite\'s settings, which writes it anew.', 'closte-sync' ) : __( 'On the machine of the engine, `closte-sync enable` writes it anew.', 'closte-sync' );
			return __( 'Nobody knows whether Closte is switched on, as the option with the switches cannot be read.', 'closte-sync' ) . ' ' . $what_to_do;
		}
		return __( 'Closte is switched off. Switch it on under Ultimate Multisite > Settings > Integrations > Hosting or Panel Providers > Closte > Configuration > Activate (in older versions: Settings > Domain Mapping > Host Integrations).', 'closte-sync' );
	}

	/**
	 * That a link to a status page was not made.
	 *
	 * @return string
	 */
	public static function no_link() {
		return __( 'No link could be made: there are too many already, or the database refused it.', 'closte-sync' );
	}

	/**
	 * Who does the work for Closte.
	 *
	 * @return string
	 */
	public static function mode() {
		$modes = array(
			'registry' => __( 'closte-sync has replaced the built-in integration.', 'closte-sync' ),
			'hooks'    => __( 'closte-sync has replaced the built-in integration (by its hooks).', 'closte-sync' ),
			'off'      => __( 'closte-sync has stepped aside: the built-in integration works.', 'closte-sync' ),
		);
		return $modes[ Takeover::mode() ];
	}

	/**
	 * Whose turn it is.
	 *
	 * @param array $domain What is known about it.
	 * @return string Empty where it is nobody's, or not known.
	 */
	public static function turn( array $domain ) {
		$turns = array(
			'owner'  => __( 'Owner\'s turn', 'closte-sync' ),
			'admin'  => __( 'Your turn', 'closte-sync' ),
			'host'   => __( 'The host\'s turn', 'closte-sync' ),
			'nobody' => __( 'Waiting', 'closte-sync' ),
		);
		$turn  = isset( $domain['turn'] ) && is_string( $domain['turn'] ) ? $domain['turn'] : '';
		return isset( $turns[ $turn ] ) ? $turns[ $turn ] : '';
	}

	/**
	 * What the engine reports about a domain, and before it whose turn it is.
	 *
	 * @param array $domain What is known about it.
	 * @return string
	 */
	public static function with_turn( array $domain ) {
		$turn = self::turn( $domain );
		return ( '' === $turn ? '' : "$turn: " ) . self::of_domain( $domain );
	}

	/**
	 * What the engine reports about a domain: its first finding, and when it checks again.
	 *
	 * @param array $domain What is known about it.
	 * @return string
	 */
	public static function of_domain( array $domain ) {
		$text = isset( $domain['text'] ) && is_string( $domain['text'] ) ? $domain['text'] : '';
		$next = isset( $domain['next'] ) ? (int) $domain['next'] : 0;
		if ( 0 === $next ) {
			return $text;
		}
		$when = $next <= time()
			? __( 'next check: now', 'closte-sync' )
			/* translators: %s: such as "5 minutes". */
			: sprintf( __( 'next check in %s', 'closte-sync' ), human_time_diff( time(), $next ) );
		return '' === $text ? $when : "$text ($when)";
	}

	/**
	 * A time as this site writes it.
	 *
	 * @param int $time Seconds since 1970.
	 * @return string
	 */
	public static function moment( $time ) {
		return wp_date( get_option( 'date_format' ) . ' ' . get_option( 'time_format' ), $time );
	}
}
