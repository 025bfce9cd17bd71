<?php
/**
 * When the carried engine makes a pass, and what its end means: decided from values alone.
 *
 * Nothing here has a clock, a database or a process. Times are seconds since 1970.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The rules.
 */
final class Pass_Rules {

	/**
	 * In seconds: how long a network rests at most, the first pause after a failure and the longest, the time between
	 * detached passes, and after which a detached pass should have been heard of.
	 */
	const REST        = 21600;
	const FIRST_PAUSE = 60;
	const LAST_PAUSE  = 900;
	const BETWEEN     = 10;
	const HEARD_AFTER = 180;

	/**
	 * After so many detached passes in a row that were not heard of, no more are started.
	 */
	const MOST_UNHEARD = 2;

	/**
	 * A due pass that nobody began after so many seconds shows that nobody calls WP-Cron.
	 */
	const OVERDUE = 1800;

	/**
	 * After so many seconds without one pass, mail is sent.
	 */
	const TOO_LONG = 3600;

	/**
	 * Whether a pass is due. Nobody is told to wait for longer than a network rests, so what is later is an error.
	 *
	 * @param mixed $next When the next one is due, as it is stored.
	 * @param int   $now  The time.
	 * @return bool
	 */
	public static function is_due( $next, $now ) {
		$next = self::time( $next );
		return $next <= $now || $next > $now + 2 * self::REST;
	}

	/**
	 * A time as it is stored.
	 *
	 * @param mixed $stored It.
	 * @return int 0 for anything else.
	 */
	public static function time( $stored ) {
		return is_scalar( $stored ) && preg_match( '/^\d{1,12}$/', (string) $stored ) ? (int) $stored : 0;
	}

	/**
	 * When a pass that was begun is begun again, if it does not say so itself.
	 *
	 * @param int $failures So many have failed in a row.
	 * @return int Seconds.
	 */
	public static function pause( $failures ) {
		return (int) min( self::LAST_PAUSE, self::FIRST_PAUSE * pow( 2, min( $failures, 10 ) ) );
	}

	/**
	 * When the engine promised to come: what it wrote itself, not what a pass was claimed by.
	 *
	 * @param mixed $next As it is stored.
	 * @param array $runs See `Passes`.
	 * @return int
	 */
	public static function promised( $next, array $runs ) {
		$next = self::time( $next );
		return 0 !== $next && $next === $runs['claimed'] ? $runs['due'] : $next;
	}

	/**
	 * Until when the engine is not silent: silent is who did not come when due.
	 *
	 * @param int $heard    When it was heard last.
	 * @param int $promised When it promised to come; 0 for never.
	 * @param int $silence  How much later it may come, in seconds.
	 * @return int
	 */
	public static function silent_after( $heard, $promised, $silence ) {
		return max( $heard, min( $promised, $heard + self::REST ) ) + $silence;
	}

	/**
	 * What is known of detached passes, judged again: one is heard of when the engine wrote since it was started.
	 *
	 * @param array $detached `at` (when the last one starts or started), `since` (the first that nobody has heard of yet; 0 for none),
	 *                        `next` (as it was stored then) and `unheard` (how many in a row).
	 * @param array $now      `time`, `next` (as it is stored), `claimed` (what we wrote there ourselves) and `heard`.
	 * @return array `detached`, judged.
	 */
	public static function judge_detached( array $detached, array $now ) {
		if ( 0 === $detached['since'] ) {
			return $detached;
		}
		$is_written = $now['next'] !== $detached['next'] && $now['next'] !== $now['claimed'];
		if ( $is_written || $now['heard'] >= $detached['since'] ) {
			$detached['unheard'] = 0;
			$detached['since']   = 0;
		} elseif ( $now['time'] - $detached['since'] >= self::HEARD_AFTER ) {
			++$detached['unheard'];
			$detached['since'] = 0;
		}
		return $detached;
	}

	/**
	 * Whether detached passes are not tried any more.
	 *
	 * @param array $detached See `judge_detached`.
	 * @return bool
	 */
	public static function is_given_up( array $detached ) {
		return $detached['unheard'] >= self::MOST_UNHEARD;
	}

	/**
	 * What a change in WordPress starts.
	 *
	 * @param array $detached Judged, see `judge_detached`.
	 * @param int   $time     The time.
	 * @param int   $next     When the next pass is due, as it is stored.
	 * @return array The delay in seconds of a detached pass (null for none), and `detached` then.
	 */
	public static function start_detached( array $detached, $time, $next ) {
		if ( self::is_given_up( $detached ) || ( $detached['at'] > $time && $detached['at'] <= $time + self::BETWEEN ) ) {
			return array( null, $detached );
		}
		$starts = $detached['at'] > $time ? $time : max( $time, $detached['at'] + self::BETWEEN );
		if ( 0 === $detached['since'] ) {
			$detached['since'] = $starts;
			$detached['next']  = $next;
		}
		$detached['at'] = $starts;
		return array( $starts - $time, $detached );
	}

	/**
	 * What the end of an attached pass means.
	 *
	 * @param array $outcome See `Engine_Process::attached`.
	 * @return array `error` (its `what` and `hint`; null for none), `is_busy` (another engine was at work), `told` (what is to be
	 *               mailed), `cpu_ms` and `peak_kb` (null where it did not say).
	 */
	public static function meaning( array $outcome ) {
		$end   = $outcome['end'];
		$error = null;
		if ( null === $end ) {
			$error = array( 'what' => self::how_it_ended( $outcome ) );
		} elseif ( isset( $end['error']['what'] ) && is_string( $end['error']['what'] ) ) {
			$error = $end['error'];
		} elseif ( empty( $end['busy'] ) && isset( $end['exit'] ) && ! in_array( $end['exit'], array( 0, 1 ), true ) ) {
			$error = array( 'what' => self::how_it_ended( $outcome ) );
		}
		if ( null !== $error ) {
			$error = array(
				'what' => mb_substr( $error['what'], 0, Engine::LONGEST, 'UTF-8' ),
				'hint' => isset( $error['hint'] ) && is_string( $error['hint'] ) ? mb_substr( $error['hint'], 0, Engine::LONGEST, 'UTF-8' ) : '',
			);
		}
		return array(
			'error'   => $error,
			'is_busy' => ! empty( $end['busy'] ),
			'told'    => isset( $end['told'] ) && is_string( $end['told'] ) ? trim( $end['told'] ) : '',
			'cpu_ms'  => isset( $end['cpu_ms'] ) && is_numeric( $end['cpu_ms'] ) ? (int) $end['cpu_ms'] : null,
			'peak_kb' => isset( $end['peak_kb'] ) && is_numeric( $end['peak_kb'] ) ? (int) $end['peak_kb'] : null,
		);
	}

	/**
	 * How a process ended that did not say what it should have.
	 *
	 * @param array $outcome See `Engine_Process::run`.
	 * @return string No whole sentence.
	 */
	public static function how_it_ended( array $outcome ) {
		if ( ! $outcome['is_started'] ) {
			$text = __( 'PHP could not start it', 'closte-sync' );
		} elseif ( $outcome['is_late'] ) {
			/* translators: %s: a number. */
			$text = sprintf( __( 'it had not ended after %s seconds and was stopped', 'closte-sync' ), number_format_i18n( $outcome['seconds'] ) );
		} elseif ( null !== $outcome['signal'] ) {
			/* translators: %d: a number. */
			$text = sprintf( __( 'it was ended by signal %d', 'closte-sync' ), $outcome['signal'] );
		} else {
			/* translators: %d: a number. */
			$text = sprintf( __( 'it ended with exit code %d and without a result', 'closte-sync' ), $outcome['exit'] );
		}
		$noise = isset( $outcome['noise'] ) ? $outcome['noise'] : '';
		$words = trim( '' === trim( $outcome['errors'] ) ? $noise : $outcome['errors'] );
		// It may say anything: what is no text is replaced, as not every PHP has functions that can cut it.
		$words = (string) json_decode( (string) wp_json_encode( $words, JSON_INVALID_UTF8_SUBSTITUTE ) );
		return '' === $words ? $text : $text . '; ' . sprintf( /* translators: %s: words. */ __( 'it said: %s', 'closte-sync' ), $words );
	}
}
