<?php
/**
 * What a person decided on our page, until the engine answers.
 *
 * A request stays until its answer comes, as the engine may die while it does it; and it is bound to one ledger and to the
 * network that it was made in, as a copy of this database contains it, too.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The requests that wait, and the answers that nobody has read.
 */
final class Requests {

	const OPTION  = 'closte_sync_request';
	const ANSWERS = 'closte_sync_answers';

	/**
	 * The most that wait, and so the most answers that are kept: one report may answer all of them.
	 */
	const MOST = 100;

	/**
	 * After so many seconds a request is over, and so is an answer that nobody read.
	 */
	const EXPIRES = DAY_IN_SECONDS;

	/**
	 * What can be asked for, and the name of what belongs to it; null for nothing.
	 */
	const KINDS = array(
		'apply'   => 'plan',
		'keep'    => 'domain',
		'here'    => null,
		'explain' => 'domain',
	);

	/**
	 * Add a request, and nudge the engine at the end of this PHP request. The same again is one.
	 *
	 * @param string $kind   One of the kinds.
	 * @param string $what   The plan's hash, or the domain; else anything.
	 * @param string $ledger Of the installation that is asked.
	 * @return bool Whether it waits now.
	 */
	public static function add( $kind, $what, $ledger ) {
		global $wpdb;
		if ( ! self::is_waiting( $kind, $what, $ledger ) ) {
			if ( count( self::waiting() ) >= self::MOST ) {
				return false;
			}
			$request = array(
				'id'     => wp_generate_uuid4(),
				'do'     => $kind,
				'ledger' => $ledger,
				'in'     => Home::here(),
				'at'     => time(),
				'by'     => get_current_user_id(),
			);
			if ( null !== self::KINDS[ $kind ] ) {
				$request[ self::KINDS[ $kind ] ] = $what;
			}
			// phpcs:ignore WordPress.DB -- No option: several rows share the name.
			$rows = $wpdb->query( $wpdb->prepare( "INSERT INTO $wpdb->sitemeta (site_id, meta_key, meta_value) VALUES (%d, %s, %s)", get_current_network_id(), self::OPTION, wp_json_encode( $request ) ) );
			if ( 1 !== $rows ) {
				return false;
			}
		}
		Nudge::mark( 'request' );
		return true;
	}

	/**
	 * Whether this is asked for already.
	 *
	 * @param string $kind   One of the kinds.
	 * @param string $what   The plan's hash, or the domain; else anything.
	 * @param string $ledger Of the installation that is asked.
	 * @return bool
	 */
	public static function is_waiting( $kind, $what, $ledger ) {
		foreach ( self::waiting() as $request ) {
			if ( $kind === $request['do'] && $ledger === $request['ledger'] && ( null === self::KINDS[ $kind ] || self::what( $request ) === $what ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * What a request is about.
	 *
	 * @param array $request It.
	 * @return string The plan's hash, or the domain; else empty.
	 */
	public static function what( array $request ) {
		$name = self::KINDS[ $request['do'] ];
		return null === $name ? '' : $request[ $name ];
	}

	/**
	 * The requests that wait, the oldest first.
	 *
	 * @return array[]
	 */
	public static function waiting() {
		$waits = static function ( $request ) {
			return time() - $request['at'] < self::EXPIRES && Home::here() === $request['in'];
		};
		return array_values( array_filter( self::stored(), $waits ) );
	}

	/**
	 * The same as the engine is told: not who asked, and where.
	 *
	 * @return array[]
	 */
	public static function for_engine() {
		$anonymous = static function ( $request ) {
			return array_diff_key( $request, array_flip( array( 'by', 'in' ) ) );
		};
		return array_map( $anonymous, self::waiting() );
	}

	/**
	 * Keep what the engine answered for those who asked, and forget these requests and all that are over.
	 *
	 * @param mixed $answers A list of the request's id, whether it is done, and else why not and what to do.
	 * @return bool Whether that is stored.
	 */
	public static function answer( $answers ) {
		$by_id = array();
		foreach ( is_array( $answers ) ? $answers : array() as $answer ) {
			if ( is_array( $answer ) && isset( $answer['id'] ) && is_string( $answer['id'] ) ) {
				$by_id[ $answer['id'] ] = $answer;
			}
		}
		$rows   = array();
		$closed = array();
		foreach ( self::stored() as $row => $request ) {
			if ( isset( $by_id[ $request['id'] ] ) ) {
				$closed[] = self::closed( $request, $by_id[ $request['id'] ] );
				$rows[]   = $row;
			}
		}
		return ( array() === $closed || self::keep( $closed ) ) && false !== Network_Rows::drop( self::OPTION, $rows ) && self::close_expired();
	}

	/**
	 * Answer the requests that nobody answered in time, so that who asked learns that they are over; those of
	 * another network that this is a copy of are only forgotten.
	 *
	 * @return bool Whether that is stored.
	 */
	private static function close_expired() {
		$answer = array(
			'done' => false,
			'text' => __( 'No installation answered within a day, so this request is over.', 'closte-sync' ),
			'hint' => __( 'Ask again once the engine reports, if it is still to be done.', 'closte-sync' ),
		);
		$closed = array();
		foreach ( self::stored() as $row => $request ) {
			// Whoever deletes the row says so.
			if ( time() - $request['at'] >= self::EXPIRES && 0 < Network_Rows::drop( self::OPTION, array( $row ) ) && Home::here() === $request['in'] ) {
				$closed[] = self::closed( $request, $answer );
			}
		}
		return array() === $closed || self::keep( $closed );
	}

	/**
	 * The answers for somebody who asked, once: WordPress treats its own notices in the same way.
	 *
	 * @param int $user Who.
	 * @return array[] Each a request with `done`, `text` and `hint`.
	 */
	public static function take_answers( $user ) {
		self::close_expired();
		$is_theirs = static function ( $answer ) use ( $user ) {
			return $user === $answer['by'] && Home::here() === $answer['in'];
		};
		$theirs    = array_filter( self::answers( Network_Options::read( self::ANSWERS ) ), $is_theirs );
		if ( array() !== $theirs ) {
			Network_Options::change(
				self::ANSWERS,
				static function ( $stored ) use ( $is_theirs ) {
					$others = array_filter(
						self::answers( $stored ),
						static function ( $answer ) use ( $is_theirs ) {
							return ! $is_theirs( $answer );
						}
					);
					return count( $others ) === count( self::answers( $stored ) ) ? null : (string) wp_json_encode( array_values( $others ) );
				}
			);
		}
		return array_values( $theirs );
	}

	/**
	 * A request with its answer, in plain ASCII of a bounded length once it is stored.
	 *
	 * @param array $request The request.
	 * @param array $answer  The answer.
	 * @return array
	 */
	private static function closed( array $request, array $answer ) {
		$closed = array(
			'done' => ! empty( $answer['done'] ),
			'text' => '',
			'hint' => '',
		);
		foreach ( array( 'text', 'hint' ) as $name ) {
			if ( isset( $answer[ $name ] ) && is_string( $answer[ $name ] ) ) {
				$closed[ $name ] = mb_substr( $answer[ $name ], 0, Engine::LONGEST, 'UTF-8' );
			}
		}
		$closed['explained'] = isset( $answer['explained'] ) && is_array( $answer['explained'] ) ? Name_Form::tidy( $answer['explained'] ) : null;
		return $closed + array( 'at' => time() ) + $request;
	}

	/**
	 * Keep answers until they are read.
	 *
	 * @param array[] $closed Requests with their answers.
	 * @return bool Whether they are stored.
	 */
	private static function keep( array $closed ) {
		return Network_Options::change(
			self::ANSWERS,
			static function ( $stored ) use ( $closed ) {
				$all = array_merge( self::answers( $stored ), $closed );
				return (string) wp_json_encode( array_slice( $all, -self::MOST ) );
			}
		);
	}

	/**
	 * The answers that an option holds, but for those that nobody read in time.
	 *
	 * @param mixed $stored The option.
	 * @return array[]
	 */
	private static function answers( $stored ) {
		$answers = is_string( $stored ) ? json_decode( $stored, true ) : null;
		$is_kept = static function ( $answer ) {
			return self::is_request( $answer ) && isset( $answer['done'], $answer['text'], $answer['hint'] ) && time() - $answer['at'] < self::EXPIRES;
		};
		return is_array( $answers ) ? array_values( array_filter( $answers, $is_kept ) ) : array();
	}

	/**
	 * All requests, by the ids of their rows.
	 *
	 * @return array[]
	 */
	private static function stored() {
		return array_filter( Network_Rows::all( self::OPTION, 2 * self::MOST ), array( self::class, 'is_request' ) );
	}

	/**
	 * Whether something is a request as we store it.
	 *
	 * @param mixed $request Anything.
	 * @return bool
	 */
	private static function is_request( $request ) {
		if ( ! is_array( $request ) || ! isset( $request['id'], $request['do'], $request['ledger'], $request['in'], $request['at'], $request['by'] ) ) {
			return false;
		}
		$kind = $request['do'];
		return is_string( $kind ) && array_key_exists( $kind, self::KINDS ) && ( null === self::KINDS[ $kind ] || isset( $request[ self::KINDS[ $kind ] ] ) );
	}
}
